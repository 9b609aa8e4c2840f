//! Slugs: the part of a name that is safe in a path, an address or a branch name.

/// What a name without a single usable character becomes.
const FALLBACK: &str = "item";

/// Makes a slug of at most `max` bytes: ASCII letters and digits in lower case, single dashes between them.
///
/// Spaces and punctuation become dashes. Nothing is transliterated: apostrophes and letters outside
/// ASCII are dropped. A name of which nothing remains becomes `item`.
pub(crate) fn slugify(name: &str, max: usize) -> String {
    let mut slug = String::with_capacity(name.len().min(max));
    let mut gap = false;
    for character in name.chars() {
        if character.is_ascii_alphanumeric() {
            let wanted = 1 + usize::from(gap);
            if slug.len() + wanted > max {
                break;
            }
            if gap {
                slug.push('-');
            }
            slug.push(character.to_ascii_lowercase());
            gap = false;
        } else if !character.is_alphanumeric() && !matches!(character, '\'' | '’') {
            // A dash is written only once a character follows, so that none leads or trails.
            gap = !slug.is_empty();
        }
    }
    if slug.is_empty() {
        return FALLBACK.chars().take(max).collect();
    }
    slug
}

/// Whether `text` is what [`slugify`] could have made: not empty, `[a-z0-9-]` only, no dash first, last or doubled.
pub(crate) fn is_slug(text: &str) -> bool {
    !text.is_empty()
        && text.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_slugs() {
        for (name, max, slug) in [
            ("Quarterly Plan 2026", 64, "quarterly-plan-2026"),
            ("  --Fix: the `parser`!! ", 64, "fix-the-parser"),
            ("Ann's list – part 2", 64, "anns-list-part-2"),
            ("Café Zürich", 64, "caf-zrich"),
            ("a_b/c.d", 64, "a-b-c-d"),
            ("alpha beta", 6, "alpha"),
            ("alpha beta", 7, "alpha-b"),
            ("", 64, "item"),
            ("日本語", 64, "item"),
            ("…", 2, "it"),
            ("abc", 0, ""),
        ] {
            assert_eq!(slugify(name, max), slug, "{name:?} in {max}");
        }
    }

    #[test]
    fn a_slug_is_told_from_other_text() {
        for slug in ["a", "a-b", "2026", "x1-y2-z3"] {
            assert!(is_slug(slug), "{slug:?}");
            assert_eq!(slugify(slug, 64), slug);
        }
        for text in ["", "-a", "a-", "a--b", "A", "a b", "ä", "a.b"] {
            assert!(!is_slug(text), "{text:?}");
        }
    }
}
