//! What somebody may be called, as far as its form tells.

/// A name of more characters is a sentence with a colon in it.
const MAX_CHARACTERS: usize = 80;

/// So is one of more words, not counting those in brackets.
const MAX_WORDS: usize = 6;

/// A telephone number has as many digits, or signs that hide one.
const PHONE_DIGITS: usize = 5;

/// What no name has but code and sentences do.
const NOT_IN_NAMES: &[char] = &['*', '`', '<', '>', '{', '}', '=', '?', '!', ';', '\\', '…'];

/// What stands in front of a colon in minutes and in speech, and is nobody; in lower case.
const NOBODY: &str = "\
    abstract, action, action item, action items, actions, address, agenda, agenda item, also, and, answer, \
    attendees, attendee list, attention, background, because, bonus, but, call, caution, cc, chapter, \
    conclusion, context, copyright, correction, date, deadline, decision, decisions, definition, description, \
    details, disclaimer, discussion, due, duration, edit, email, e-mail, end, ended, error, example, exception, \
    finally, first, firstly, followup, follow-up, follow up, format, from, fyi, goal, goals, hint, hosted by, \
    however, idea, important, info, instead, invitees, issue, item, items, joined, kind, language, last, \
    lesson, link, links, location, maybe, meaning, meeting, meeting id, meeting link, meeting notes, \
    meeting title, method, minutes, minutes by, motion, name, nb, next, next meeting, next step, next steps, \
    no, note, note taker, notes, now, objective, ok, okay, one, open questions, option, or, organizer, \
    organiser, outcome, outcomes, owner, page, participants, passcode, password, phone, place, plan, please, \
    point, prerequisites, present, problem, ps, p.s., purpose, question, questions, quote, re, reason, \
    recorded, recorded by, recording, reference, references, regrets, remember, reminder, resolution, resolved, \
    result, results, risk, risks, room, rule, second, secondly, section, see also, sent, so, solution, source, \
    started, started at, start, status, step, subject, suggestion, summary, takeaway, takeaways, task, tasks, \
    tbd, tel, telephone, then, therefore, third, thirdly, time, timezone, tip, title, tl;dr, tldr, to, todo, \
    to do, todos, topic, topics, transcribed by, transcript, translation, two, update, updates, url, venue, \
    version, video, vote, warning, wait, website, well, when, where, who, why, yes";

/// What sentences begin with, and names seldom.
const SENTENCES_BEGIN: &str = "\
    a, all, also, an, and, another, any, as, at, because, but, each, every, finally, first, for, he, her, here, \
    his, how, i, if, in, it, it's, its, last, let, let's, my, next, no, note, now, of, ok, okay, on, one, or, \
    our, please, remember, same, second, she, so, some, that, the, their, then, there, these, they, third, \
    this, those, to, today, two, we, well, what, when, where, which, who, why, with, yes, you, your";

/// Small words within names.
const PARTICLES: &str = "\
    &, al, and, at, bin, binti, da, de, del, della, den, der, des, di, do, dos, du, e, el, et, from, ibn, la, \
    le, of, og, ten, ter, und, van, von, y, zu";

/// Whether a list has this entry.
fn is_in(list: &str, entry: &str) -> bool {
    list.split(", ").any(|one| one == entry)
}

/// How much something looks like a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Like one.
    Name,
    /// It may be one, or the beginning of a sentence.
    Doubtful,
    /// Not at all.
    Other,
}

/// What the form of a text in front of a colon tells.
pub(super) fn form(name: &str) -> Form {
    let text = name.trim();
    if text.chars().nth(MAX_CHARACTERS).is_some() {
        return Form::Other;
    }
    if is_phone(text) {
        return Form::Name;
    }
    if text.contains(NOT_IN_NAMES) || is_in(NOBODY, &text.to_lowercase()) {
        return Form::Other;
    }
    let plain = text
        .trim_start_matches(['@', '~'])
        .trim_matches(is_pictured)
        .trim();
    if plain.is_empty() && text.contains(is_emoji) {
        return Form::Name;
    }
    if !plain.starts_with(char::is_alphanumeric) || !plain.contains(char::is_alphabetic) {
        return Form::Other;
    }
    let outside = outside_brackets(plain);
    if outside.ends_with("http") || outside.ends_with("https") || outside.contains([':', '：']) {
        return Form::Other;
    }
    match form_of_words(&outside) {
        // A handle is nothing else.
        Form::Doubtful if text.starts_with('@') => Form::Name,
        Form::Doubtful if is_in(NOBODY, &last_word(&outside)) => Form::Other,
        form => form,
    }
}

fn last_word(name: &str) -> String {
    name.split_whitespace()
        .next_back()
        .unwrap_or_default()
        .to_lowercase()
}

fn form_of_words(plain: &str) -> Form {
    let words: Vec<&str> = plain
        .split_whitespace()
        .filter(|word| word.contains(char::is_alphanumeric) || is_in(PARTICLES, word))
        .collect();
    let (Some(first), Some(last)) = (words.first(), words.last()) else {
        return Form::Other;
    };
    // A long word with a full stop ends a sentence; a short one is `Dr.` or `J.-P.`.
    let ends_sentence = |word: &&str| word.ends_with('.') && word.chars().count() > 6;
    if words.len() > MAX_WORDS || words.iter().any(ends_sentence) {
        return Form::Other;
    }
    let begins_sentence = is_in(SENTENCES_BEGIN, &first.trim_end_matches(',').to_lowercase());
    let is_numbered = words.len() == 2 && (last.chars().count() == 1 || is_number(last));
    let is_list = first.ends_with(',') && words.get(1).is_some_and(|word| is_in(PARTICLES, word));
    let is_proper_name = words.iter().any(|word| is_proper(word))
        && words
            .iter()
            .all(|word| is_proper(word) || is_in(PARTICLES, word));
    match words.len() {
        1 if first.starts_with(|first: char| first.is_numeric()) && !is_mixed(first) => Form::Other,
        1 if is_proper(first) || first.contains(|sign: char| sign.is_numeric() || sign == '_') => {
            Form::Name
        }
        1 => Form::Doubtful,
        _ if begins_sentence || is_list => Form::Doubtful,
        _ if is_proper_name || is_numbered => Form::Name,
        _ => Form::Doubtful,
    }
}

/// Whether something may be a name on a line of its own, without a colon or with what was said below it.
pub(super) fn stands_alone(name: &str) -> bool {
    let name = name.trim();
    let outside = outside_brackets(name);
    let mut words = outside.split_whitespace();
    let last = name.split_whitespace().next_back().unwrap_or_default();
    form(name) == Form::Name
        && (!name.ends_with(['.', ',', '。', '、']) || is_initials(last))
        && words.clone().any(is_proper)
        && words.all(|word| is_proper(word) || is_in(PARTICLES, word))
}

/// Whether a word is `F.`, `J.-P.` or `Jr.`
fn is_initials(word: &str) -> bool {
    word.ends_with('.') && word.split(['.', '-']).all(|part| part.chars().count() <= 2)
}

/// Whether the word is one of a name rather than of a sentence; scripts without case always are.
fn is_proper(word: &str) -> bool {
    let word = word.trim_start_matches(['"', '“', '\'', '‘', '(']);
    // The letters of Georgian are small ones by name, and begin no sentence with others.
    let is_georgian = |letter: char| matches!(letter, '\u{10d0}'..='\u{10ff}');
    let is_small = word.starts_with(|first: char| first.is_lowercase() && !is_georgian(first));
    !is_small || word.contains(char::is_uppercase)
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a word has letters beside its digits, as `3M` and `2nd` do.
fn is_mixed(word: &str) -> bool {
    word.contains(char::is_alphabetic)
}

/// Whether this is a telephone number, perhaps with some of its digits hidden, and not a date.
fn is_phone(text: &str) -> bool {
    let is_hidden = |character: char| matches!(character, '*' | 'x' | 'X' | '•');
    let is_sign = |character: char| character.is_whitespace() || "+-().#/".contains(character);
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let hidden = text
        .chars()
        .filter(|character| is_hidden(*character))
        .count();
    let all =
        |character: char| character.is_ascii_digit() || is_hidden(character) || is_sign(character);
    let starts =
        text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '('));
    digits >= 2
        && digits + hidden >= PHONE_DIGITS
        && starts
        && text.chars().all(all)
        && !is_date(text)
}

fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text
        .split(['-', '.', '/'])
        .map(|part| part.trim().len())
        .collect();
    matches!(
        parts[..],
        [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4] | [1..=2, 1..=2, 2]
    )
}

fn is_emoji(character: char) -> bool {
    matches!(character, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}')
}

/// Whether a character belongs to a picture in a name: an emoji, or what joins and varies them.
fn is_pictured(character: char) -> bool {
    is_emoji(character) || matches!(character, '\u{200d}' | '\u{fe0f}') || character.is_whitespace()
}

/// The name without what stands in brackets: who they are with, what they do.
fn outside_brackets(name: &str) -> String {
    let mut depth = 0_usize;
    let outside = name.chars().filter(|character| match character {
        '(' | '[' => {
            depth += 1;
            false
        }
        ')' | ']' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    });
    outside.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_sentences() {
        for name in [
            "Nora",
            "Nora Field",
            "van der Meer",
            "O'Neil, J.-P.",
            "Field, Nora",
            "ABC/DEF",
            "Dr. Nora Field",
            "speaker 1",
            "Speaker A",
            "SPEAKER_00",
            "spk_1",
            "guest 12",
            "14155550123",
            "+1 415-555-0123",
            "(415) 555-0123",
            "+1415***0123",
            "1-415-***-**23",
            "Nora (Acme: Sales, Marketing and Support for Europe)",
            "Nora [Acme]",
            "Nora | Acme",
            "🦊 Nora",
            "Nora 🦊",
            "🦊",
            "👩‍💻",
            "@nora",
            "3M Support",
            "2nd Speaker",
            "王小明",
            "नोरा फील्ड",
            "نورا",
            "ნინო ბერიძე",
            "Нора Поле",
            "al-Sayed Omar",
            "d'Angelo Bo",
            "Nora Field-Reyes",
            "Ministry of Finance",
            "Nora \"No\" Field",
            "Ann and Bo",
            "Nguyễn Văn A",
        ] {
            assert_eq!(form(name), Form::Name, "{name:?}");
        }
        for name in [
            "So the idea is",
            "One thing",
            "The thing",
            "what follows",
            "nora",
            "see",
            "nora field",
            "In short",
            "Yes, and Nora",
        ] {
            assert_eq!(form(name), Form::Doubtful, "{name:?}");
        }
        for name in [
            "",
            "Note",
            "so Question",
            "QUESTION",
            "Action items",
            "https",
            "see https",
            "10",
            "3",
            "2026",
            "2026-11-20",
            "20.11.2026",
            "Really? Yes",
            "let x = 1",
            "•",
            "—",
            "- Nora",
            "Hello everyone. Nora",
            "One Two Three Four Five Six Seven",
            "(aside)",
            "…",
            "#",
            "**",
        ] {
            assert_eq!(form(name), Form::Other, "{name:?}");
        }
    }

    #[test]
    fn some_names_stand_alone() {
        for name in [
            "Nora Field",
            "Nora F.",
            "王小明",
            "van der Meer",
            "Speaker 1",
            "14155550123",
        ] {
            assert!(stands_alone(name), "{name:?}");
        }
        for name in [
            "See you",
            "Good morning.",
            "Hello,",
            "nora",
            "so welcome back",
            "Question",
        ] {
            assert!(!stands_alone(name), "{name:?}");
        }
    }
}
