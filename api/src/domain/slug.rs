//! Slugs: the part of a name that is safe in a path, an address or a branch name.

use deunicode::deunicode_char;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// Makes a slug of at most `max` bytes: ASCII letters and digits in lower case, single dashes between them.
///
/// Letters of all scripts are written in Latin ones, so that `Größe` becomes `grosse`, `Москва` becomes `moskva` and `日本`
/// becomes `ri-ben`. Spaces, punctuation and symbols become dashes, apostrophes and accents vanish. `None` for a name of
/// which nothing remains.
pub(crate) fn slugify(name: &str, max: usize) -> Option<String> {
    let mut slug = Slug {
        text: String::with_capacity(name.len().min(max)),
        gap: false,
        max,
    };
    for character in name.chars() {
        if !slug.add(character) {
            break;
        }
    }
    Some(slug.text).filter(|slug| !slug.is_empty())
}

/// A slug in the making.
struct Slug {
    text: String,
    /// Whether a dash is due. It is written only once a character follows, so that none leads or trails.
    gap: bool,
    max: usize,
}

impl Slug {
    /// Adds a character of the name; whether there is room for more.
    fn add(&mut self, character: char) -> bool {
        if character.is_ascii() {
            return self.put(character);
        }
        let written = deunicode_char(character).unwrap_or_default();
        if belongs_to_a_word(character) {
            // What stands for a letter, such as an apostrophe for a soft sign, parts no words; a space behind it does.
            return written
                .chars()
                .filter(|part| part.is_ascii_alphanumeric() || *part == ' ')
                .all(|part| self.put(part));
        }
        if written == "'" {
            return true;
        }
        // A symbol is a word of its own: a dash, a number sign, a rocket.
        self.put(' ') && written.chars().all(|part| self.put(part)) && self.put(' ')
    }

    /// Adds an ASCII character; whether there was room.
    fn put(&mut self, character: char) -> bool {
        if character.is_ascii_alphanumeric() {
            let gap = self.gap && !self.text.is_empty();
            if self.text.len() + 1 + usize::from(gap) > self.max {
                return false;
            }
            if gap {
                self.text.push('-');
            }
            self.gap = false;
            self.text.push(character.to_ascii_lowercase());
        } else if character != '\'' {
            self.gap = true;
        }
        true
    }
}

/// Whether a character is a letter, a digit, or something that goes on one and is not seen by itself.
fn belongs_to_a_word(character: char) -> bool {
    character.is_alphanumeric()
        || character.general_category_group() == GeneralCategoryGroup::Mark
        || matches!(
            character.general_category(),
            GeneralCategory::Format | GeneralCategory::ModifierLetter
        )
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
            ("a_b/c.d", 64, "a-b-c-d"),
            ("alpha beta", 6, "alpha"),
            ("alpha beta", 7, "alpha-b"),
        ] {
            assert_eq!(
                slugify(name, max).as_deref(),
                Some(slug),
                "{name:?} in {max}"
            );
        }
    }

    #[test]
    fn names_of_every_script_have_slugs_of_their_own() {
        for (name, slug) in [
            ("Café Zürich", "cafe-zurich"),
            ("Cafe\u{301} Zu\u{308}rich", "cafe-zurich"),
            ("Ünïcode Größe", "unicode-grosse"),
            ("Ann’s Æther", "anns-aether"),
            ("Łódź", "lodz"),
            ("Москва", "moskva"),
            ("Тюмень", "tiumen"),
            ("日本語 株式会社", "ri-ben-yu-zhu-shi-hui-she"),
            ("Ελλάδα", "ellada"),
            ("soft\u{ad}hyphen", "softhyphen"),
            ("שלום", "shlvm"),
        ] {
            assert_eq!(slugify(name, 64).as_deref(), Some(slug), "{name:?}");
        }
        let names = [
            "서울",
            "부산",
            "東京",
            "大阪",
            "القاهرة",
            "دبي",
            "ירושלים",
            "תל אביב",
            "กรุงเทพ",
            "เชียงใหม่",
            "मुंबई",
            "दिल्ली",
            "თბილისი",
            "ბათუმი",
            "Երևան",
            "Αθήνα",
            "Київ",
            "Львів",
            "ქუთაისი",
            "አዲስ አበባ",
            "தமிழ்",
            "తెలుగు",
        ];
        let mut slugs: Vec<_> = names.iter().filter_map(|name| slugify(name, 40)).collect();
        assert!(slugs.iter().all(|slug| is_slug(slug)), "{slugs:?}");
        slugs.sort();
        slugs.dedup();
        assert_eq!(slugs.len(), names.len(), "{slugs:?}");
    }

    #[test]
    fn a_name_without_letters_has_none() {
        for name in ["", " ", "…", "---", "'’'", "\u{301}", "\u{200d}"] {
            assert_eq!(slugify(name, 64), None, "{name:?}");
        }
        assert_eq!(slugify("abc", 0), None);
    }

    #[test]
    fn every_character_makes_a_slug_or_none() {
        for character in (0..=0x10_ffff_u32).filter_map(char::from_u32) {
            for (name, max) in [(format!("{character}"), 40), (format!("a{character}b"), 3)] {
                if let Some(slug) = slugify(&name, max) {
                    assert!(is_slug(&slug) && slug.len() <= max, "{name:?}: {slug}");
                }
            }
        }
    }

    #[test]
    fn a_slug_is_told_from_other_text() {
        for slug in ["a", "a-b", "2026", "x1-y2-z3"] {
            assert!(is_slug(slug), "{slug:?}");
            assert_eq!(slugify(slug, 64).as_deref(), Some(slug));
        }
        for text in ["", "-a", "a-", "a--b", "A", "a b", "ä", "a.b"] {
            assert!(!is_slug(text), "{text:?}");
        }
    }
}
