//! A secret as it is.

use std::fmt;
use zeroize::Zeroizing;

/// A shorter secret would be told too much of by its end.
const LEAST_TO_HINT: usize = 12;

/// How much of its end is shown.
const HINT: usize = 4;

/// A secret as it is. Nothing prints it, and its memory is wiped when it goes.
#[derive(Clone)]
pub(crate) struct Plain(Zeroizing<String>);

impl Plain {
    /// Takes a secret, without the white space that comes with copying one.
    pub(crate) fn new(text: &str) -> Self {
        Self(Zeroizing::new(text.trim().to_owned()))
    }

    /// The secret itself, for who seals it or sends it to its service.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Its end, to recognise it by; none of one that is short.
    pub(crate) fn hint(&self) -> Option<String> {
        let length = self.0.chars().count();
        (length >= LEAST_TO_HINT).then(|| self.0.chars().skip(length - HINT).collect())
    }
}

impl fmt::Debug for Plain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plain(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_recognised_by_its_end_and_never_printed() {
        let secret = Plain::new(" sk-ant-api03-ünéxpécted\n");
        assert_eq!(secret.expose(), "sk-ant-api03-ünéxpécted");
        assert_eq!(secret.hint().as_deref(), Some("cted"));
        assert_eq!(
            format!("{secret:?} {:?}", Some(&secret)),
            "Plain(…) Some(Plain(…))"
        );
        assert_eq!(Plain::new("elevenchars").hint(), None);
        assert_eq!(Plain::new("twelve chars").hint().as_deref(), Some("hars"));
    }
}
