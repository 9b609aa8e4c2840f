//! Which lines of Markdown are fenced code, where nothing means what it seems to.

/// The shortest run of marks that opens a fence.
const FENCE: usize = 3;

/// Tells for each line whether it belongs to a fenced code block, its fences included.
///
/// A fence nobody closes, or that is closed only after somebody `spoke`, was a slip of the
/// note-taker's: it is text, and does not swallow the rest of the meeting.
pub(super) fn fenced(rows: &[&str], spoke: impl Fn(&str) -> bool) -> Vec<bool> {
    let mut fenced = vec![false; rows.len()];
    // Fences at least this long are known to have no end, by mark; spares a second search.
    let mut endless = [usize::MAX; 2];
    let mut row = 0;
    while row < rows.len() {
        let Some((mark, length)) = opening(rows[row]) else {
            row += 1;
            continue;
        };
        let which = usize::from(mark == '~');
        if length >= endless[which] {
            row += 1;
            continue;
        }
        // Who speaks does so in a paragraph of their own; a quoted chat has no blank lines.
        let is_turn = |at: usize| rows[at - 1].trim().is_empty() && spoke(rows[at]);
        let found =
            (row + 1..rows.len()).find(|at| closes(rows[*at], mark, length) || is_turn(*at));
        match found {
            Some(end) if closes(rows[end], mark, length) => {
                fenced[row..=end].fill(true);
                row = end + 1;
            }
            Some(turn) => row = turn,
            None => {
                endless[which] = length;
                row += 1;
            }
        }
    }
    fenced
}

fn opening(line: &str) -> Option<(char, usize)> {
    let line = line.trim_start();
    let mark = line
        .chars()
        .next()
        .filter(|mark| matches!(mark, '`' | '~'))?;
    let rest = line.trim_start_matches(mark);
    let length = line.len() - rest.len();
    // Backticks behind the opening ones make it a piece of code within a line.
    (length >= FENCE && !(mark == '`' && rest.contains('`'))).then_some((mark, length))
}

fn closes(line: &str, mark: char, length: usize) -> bool {
    let line = line.trim();
    line.len() >= length && line.trim_start_matches(mark).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marks(text: &str) -> String {
        let rows: Vec<_> = text.lines().collect();
        let fenced = fenced(&rows, |line| line.starts_with("AB:"));
        fenced
            .into_iter()
            .map(|code| if code { 'c' } else { '.' })
            .collect()
    }

    #[test]
    fn code_is_told_from_text() {
        for (text, expected) in [
            ("a\n```js\n# x\n```\nb", ".ccc."),
            ("````\n```\n````\n~~~\n```\n~~~", "cccccc"),
            ("- x\n  ```\n  y\n  ```", ".ccc"),
            ("```\nnever closed", ".."),
            ("```\nslip\n\nAB: hi\n```\nx\n```", "....ccc"),
            ("```\nAB: quoted\n```", "ccc"),
            ("```x``` is code\n``", ".."),
        ] {
            assert_eq!(marks(text), expected, "{text:?}");
        }
    }
}
