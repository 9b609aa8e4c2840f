//! Tags in the text of a cue.

use super::time::cue_time;

/// A piece of a cue's text, without tags.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Piece {
    /// The voice it is spoken in; `None` outside of any.
    pub(super) voice: Option<String>,
    /// What is said.
    pub(super) text: String,
}

/// Splits `text` at its tags. Voice spans (`<v Ann>`) part the pieces, other tags are dropped.
///
/// A `<` that opens no tag (`a < b`, `<3`) is text, though WebVTT would have it escaped: people
/// forget, and their words must not get lost.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut piece = Piece::default();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        piece.text.push_str(&rest[..open]);
        rest = &rest[open + 1..];
        // Looking no further than the next `<` keeps a text full of them linear.
        let end = rest
            .find(['<', '>'])
            .filter(|end| rest[*end..].starts_with('>'));
        let Some(end) = end.filter(|end| is_tag(&rest[..*end])) else {
            piece.text.push('<');
            continue;
        };
        let tag = &rest[..end];
        rest = &rest[end + 1..];
        let voice = if tag == "/v" { None } else { voice(tag) };
        if tag == "/v" || voice.is_some() {
            let next = Piece {
                voice,
                text: String::new(),
            };
            pieces.push(std::mem::replace(&mut piece, next));
        }
    }
    piece.text.push_str(rest);
    pieces.push(piece);
    pieces
}

/// Whether what stands between `<` and `>` is a tag: `i`, `/i`, `c.loud`, `00:00:01.000`.
fn is_tag(inner: &str) -> bool {
    let name = inner.strip_prefix('/').unwrap_or(inner);
    inner == "/"
        || name.starts_with(|first: char| first.is_ascii_alphabetic())
        || cue_time(inner, &['.'], false).is_some()
}

/// The name in `v Ann` and `v.loud.angry Ann`.
fn voice(tag: &str) -> Option<String> {
    let rest = tag.strip_prefix('v')?;
    let (classes, name) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let is_voice = classes.is_empty() || classes.starts_with('.');
    is_voice.then(|| name.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_part_and_vanish() {
        for (text, expected) in [
            ("a <i>b</i> c", vec![(None, "a b c")]),
            (
                "<v Ann>a</v>b",
                vec![(None, ""), (Some("Ann"), "a"), (None, "b")],
            ),
            (
                "<v.x  Ann  Bo >a<v C>b",
                vec![(None, ""), (Some("Ann Bo"), "a"), (Some("C"), "b")],
            ),
            ("a<00:00:01.000> b", vec![(None, "a b")]),
            (
                "1 < 2 <3 <video>x</video> y > z <",
                vec![(None, "1 < 2 <3 x y > z <")],
            ),
        ] {
            let found = pieces(text);
            let found: Vec<_> = found
                .iter()
                .map(|piece| (piece.voice.as_deref(), piece.text.as_str()))
                .collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
