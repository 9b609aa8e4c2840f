//! What a hint looks like on its way: `tenant:position,tenant:position,…`.

use entity::Id;

/// PostgreSQL takes less than 8,000 bytes.
const LONGEST: usize = 7_900;

/// Writes hints, as many to a payload as fit.
pub(super) fn write(heads: impl IntoIterator<Item = (Id, i64)>) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut payload = String::new();
    for (tenant, head) in heads {
        let hint = format!("{tenant}:{head}");
        if !payload.is_empty() && payload.len() + 1 + hint.len() > LONGEST {
            payloads.push(std::mem::take(&mut payload));
        }
        if !payload.is_empty() {
            payload.push(',');
        }
        payload.push_str(&hint);
    }
    payloads.extend(Some(payload).filter(|payload| !payload.is_empty()));
    payloads
}

/// Reads hints. What cannot be read is left out: a hint that is lost costs only time.
pub(super) fn read(payload: &str) -> impl Iterator<Item = (Id, i64)> {
    payload.split(',').filter_map(|hint| {
        let (tenant, head) = hint.rsplit_once(':')?;
        Some((Id::from(tenant), head.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_and_no_payload_is_too_long() {
        let heads: Vec<_> = (0..1000)
            .map(|number| (Id(format!("tenant-number-{number}")), number))
            .collect();
        let payloads = write(heads.clone());
        assert!(payloads.len() > 1);
        assert!(payloads.iter().all(|payload| payload.len() <= LONGEST));
        let again: Vec<_> = payloads.iter().flat_map(|payload| read(payload)).collect();
        assert_eq!(again, heads);
    }

    #[test]
    fn what_is_no_hint_is_left_out() {
        let read: Vec<_> = read("a:1,b,c:x,:,d:4").collect();
        assert_eq!(read, [("a".into(), 1), ("d".into(), 4)]);
    }
}
