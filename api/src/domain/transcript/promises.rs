//! What every format keeps: no word is lost, nobody is given somebody else's, no text is too much.

use super::{Format, parse};
use std::time::{Duration, Instant};

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % most as u64).unwrap_or_default()
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

const NAMES: [&str; 12] = [
    "Nora Field",
    "Omar Reyes",
    "+1 415-555-0123",
    "14155550123",
    "王小明",
    "🦊 Bo",
    "Nora (Acme, Sales and Support)",
    "van der Meer",
    "Нора Поле",
    "Speaker 1",
    "O'Neil, J.-P.",
    "Dr. Zoë Ångström",
];

const FIRST_WORDS: [&str; 10] = [
    "so",
    "yes",
    "we",
    "it's",
    "naïve",
    "да",
    "ok,",
    "wir",
    "question:",
    "note:",
];

const WORDS: [&str; 24] = [
    "hello",
    "Vec<String>",
    "<inaudible>",
    "<nora@acme.example>",
    "a<b",
    "1",
    "<",
    ">",
    "->",
    "http://x.example/a:b",
    "10:30",
    "R&D",
    "&",
    "Question:",
    "¿qué?",
    "日本語",
    "…",
    "(laughs)",
    "[music]",
    "50%",
    "e\u{301}",
    "{x}",
    "*",
    "\u{1f600}",
];

struct Turn {
    speaker: &'static str,
    lines: Vec<String>,
}

fn conversation(dice: &mut Dice) -> Vec<Turn> {
    let turns = 2 + dice.below(8);
    let mut turn = || {
        let lines = (0..=dice.below(3)).map(|_| {
            let mut line = dice.one(&FIRST_WORDS).to_owned();
            for _ in 0..dice.below(8) {
                line.push(' ');
                line.push_str(dice.one(&WORDS));
            }
            line
        });
        let lines = lines.collect();
        let speaker = dice.one(&NAMES);
        Turn { speaker, lines }
    };
    (0..turns).map(|_| turn()).collect()
}

/// Writes a conversation down.
type Way = fn(&[Turn], &mut Dice) -> String;

/// The ways in which people have a conversation in a file.
const WAYS: [(&str, Way); 9] = [
    ("labels", |turns, _| {
        let turns = turns
            .iter()
            .map(|turn| format!("{}: {}", turn.speaker, turn.lines.join("\n")));
        turns.collect::<Vec<_>>().join("\n")
    }),
    ("labels with times", |turns, dice| {
        let turns = turns.iter().enumerate().map(|(at, turn)| {
            let time = dice.one(&[
                "[00:01:02] ",
                "(1:02) ",
                "00:01:02 ",
                "10:02 AM ",
                "20/11/2026, 10:02 - ",
            ]);
            let gap = dice.one(&["", "\n"]);
            let text = turn.lines.join("\n");
            if at % 2 == 0 {
                format!("{time}{}: {text}\n{gap}", turn.speaker)
            } else {
                format!("**{}** (0:05): {text}\n{gap}", turn.speaker)
            }
        });
        turns.collect()
    }),
    ("headers", |turns, dice| {
        let turns = turns.iter().enumerate().map(|(at, turn)| {
            let gap = dice.one(&["  ", "\t", " • ", "     "]);
            format!(
                "{}{gap}{at}:07  \n{}\n\n",
                turn.speaker,
                turn.lines.join("\n")
            )
        });
        turns.collect()
    }),
    ("bracketed headers", |turns, _| {
        let turns = turns
            .iter()
            .map(|turn| format!("[{}] 10:02:03\n{}\n", turn.speaker, turn.lines.join("\n")));
        turns.collect()
    }),
    ("names below timings", |turns, _| {
        let turns = turns.iter().enumerate().map(|(at, turn)| {
            format!(
                "0:0:{at}.0 --> 0:0:{at}.510\n{}\n{}\n",
                turn.speaker,
                turn.lines.join("\n")
            )
        });
        turns.collect()
    }),
    ("voices", |turns, dice| {
        let mut text = "WEBVTT - x\nKind: captions\n\nNOTE\nnobody says this\n\n".to_owned();
        for (at, turn) in turns.iter().enumerate() {
            let id = dice.one(&["", "cue\n", "7\n", "NOTE no\n\n"]);
            let hours = dice.one(&["", "00:", "27:"]);
            let escaped = turn.lines.join("\n").replace('&', "&amp;");
            let (open, close) = (dice.one(&["v", "v.loud", "v.a.b"]), dice.one(&["", "</v>"]));
            let gap = dice.one(&["\n", "\n\n", " \n\n"]);
            text += &format!(
                "{id}{hours}00:{at:02}.000 --> {hours}00:{at:02}.500 align:start\n<{open} {}>{escaped}{close}\n{gap}",
                turn.speaker
            );
        }
        text
    }),
    ("labels in captions", |turns, dice| {
        let mut text = "WEBVTT\n\n".to_owned();
        for (at, turn) in turns.iter().enumerate() {
            let escaped = turn.lines.join("\n").replace('&', "&#38;");
            let dash = dice.one(&["", "- ", ">> ", "<i></i>"]);
            text += &format!(
                "{at}\n00:{at:02}.000 --> 00:{at:02}.500\n{dash}{}: {escaped}\n\n",
                turn.speaker
            );
        }
        text
    }),
    ("subtitles", |turns, dice| {
        let mut text = String::new();
        for (at, turn) in turns.iter().enumerate() {
            let number = dice.one(&["7\n", "42\n"]);
            let tag = dice.one(&["", "{\\an8}", "<i>", "<font color=\"red\">"]);
            let gap = dice.one(&["\n", "\n\n\n", ""]);
            text += &format!(
                "{number}00:00:{at:02},000 --> 00:00:{at:02}.500\n{tag}{}: {}</i>\n{gap}",
                turn.speaker,
                turn.lines.join("\n")
            );
        }
        text
    }),
    ("subtitles without numbers", |turns, dice| {
        let mut text = String::new();
        for (at, turn) in turns.iter().enumerate() {
            let gap = dice.one(&["\n", " \n"]);
            text += &format!(
                "00:{at:02} --> 00:{at:02},5\n{}: {}\n{gap}",
                turn.speaker,
                turn.lines.join("\n\n")
            );
        }
        text
    }),
];

fn format(way: &str) -> Option<Format> {
    match way {
        "voices" | "labels in captions" => Some(Format::WebVtt),
        "subtitles" | "subtitles without numbers" => Some(Format::SubRip),
        _ => None,
    }
}

#[test]
fn every_word_is_said_by_whom_it_was_said() {
    for (way, write) in WAYS {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
        for round in 0..400 {
            let turns = conversation(&mut dice);
            let newline = dice.one(&["\n", "\r\n", "\r"]);
            let mark = dice.one(&["", "\u{feff}"]);
            let text = format!("{mark}{}", write(&turns, &mut dice).replace('\n', newline));
            let parsed =
                parse(&text, format(way)).unwrap_or_else(|error| panic!("{way}: {error}\n{text}"));
            let expected: Vec<(&str, &str)> = turns
                .iter()
                .flat_map(|turn| turn.lines.iter().map(|line| (turn.speaker, line)))
                .flat_map(|(speaker, line)| {
                    line.split_whitespace().map(move |word| (speaker, word))
                })
                .collect();
            let found: Vec<(&str, &str)> = parsed
                .segments
                .iter()
                .flat_map(|turn| {
                    turn.text
                        .split_whitespace()
                        .map(|word| (turn.speaker.as_str(), word))
                })
                .collect();
            assert_eq!(found, expected, "{way}, round {round}:\n{text}");
        }
    }
}

#[test]
fn damaged_texts_name_nobody_who_is_not_named() {
    for (way, write) in WAYS {
        let mut dice = Dice(0x2545_f491_4f6c_dd1d);
        for _ in 0..400 {
            let text = write(&conversation(&mut dice), &mut dice);
            let mut lines: Vec<_> = text.lines().collect();
            for once in ["see: that", "one thing: that", "hence: that", "10: that"]
                .iter()
                .take(dice.below(4))
            {
                let at = dice.below(lines.len());
                match dice.below(3) {
                    0 if lines.len() > 1 => drop(lines.remove(at)),
                    1 => lines.insert(
                        at,
                        dice.one(&["", " ", "and more words", "12", once, "<v", "{\\", "-->"]),
                    ),
                    _ => lines.swap(at, 0),
                }
            }
            let damaged = lines.join("\n");
            for format in [format(way), None] {
                let Ok(parsed) = parse(&damaged, format) else {
                    continue;
                };
                for speaker in &parsed.speakers {
                    assert!(
                        NAMES.contains(&speaker.as_str()),
                        "{way}: {speaker:?} in\n{damaged}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_text_takes_long() {
    const PARTS: [&str; 40] = [
        "<",
        "<v ",
        "<v x>",
        "</v>",
        "<b>",
        "<font a=",
        "&",
        "&amp",
        "&#",
        "&#x",
        "{\\",
        "{\\a}",
        "[",
        "[0:01] ",
        "(",
        ")",
        "**",
        "__",
        "a: ",
        ":",
        "：",
        "-->",
        "00:01 --> 00:02\n",
        "\n",
        "x\n",
        " ",
        "# ",
        "# a\n",
        ">>",
        "1\n",
        "1 ",
        "1:",
        "\u{200e}",
        "Ann: a\n",
        "ann bo: a\n",
        "NOTE\n",
        "Nora  0:02\n",
        "Nora  0:02\na\n",
        "\u{301}",
        "7\n00:01 --> 00:02\n",
    ];
    for part in PARTS {
        let body = part.repeat(100_000 / part.len());
        for (start, format) in [
            ("", None),
            ("Ann: ", Some(Format::Plain)),
            ("WEBVTT\n\n00:01.000 --> 00:02.000\n", Some(Format::WebVtt)),
            ("1\n00:00:01,000 --> 00:00:02,000\n", Some(Format::SubRip)),
        ] {
            let begun = Instant::now();
            let _ = parse(&format!("{start}{body}"), format);
            let taken = begun.elapsed();
            assert!(
                taken < Duration::from_secs(10),
                "{part:?} as {format:?} took {taken:?}"
            );
        }
    }
}
