//! Where one message ends and the next begins, by the frames' headers alone (RFC 6455, section 5.2).

/// The most bytes of a frame's header.
const LONGEST_HEADER: usize = 14;

/// Goes along with what arrives, and knows how much of it is no whole message yet.
#[derive(Default)]
pub(super) struct Frames {
    header: [u8; LONGEST_HEADER],
    /// How many bytes of a header have come.
    come: usize,
    /// How many bytes of the frame's payload are still to come.
    to_come: u64,
    /// The payloads of the message's frames so far, as long as their headers say they are.
    message: u64,
    /// The same of a frame that may come between those of a message.
    control: u64,
    /// Whether more frames of the message follow the last one.
    open: bool,
}

impl Frames {
    /// Goes on with what arrived. Whether a message came to its end with it.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> bool {
        let mut ended = false;
        while let [first, rest @ ..] = bytes {
            if self.to_come > 0 {
                let taken = bytes
                    .len()
                    .min(usize::try_from(self.to_come).unwrap_or(usize::MAX));
                self.to_come -= taken as u64;
                bytes = &bytes[taken..];
            } else {
                self.header[self.come] = *first;
                self.come += 1;
                bytes = rest;
                if !self.begin() {
                    continue;
                }
            }
            if self.to_come == 0 {
                self.end();
                ended |= !self.open;
            }
        }
        ended
    }

    /// How many bytes a message has that is not whole; none between two.
    pub(super) fn unfinished(&self) -> Option<u64> {
        let between = self.come == 0 && self.to_come == 0 && !self.open;
        (!between).then(|| self.message.saturating_add(self.control))
    }

    /// Begins a frame, if its header is whole.
    fn begin(&mut self) -> bool {
        let [first, second, ..] = self.header;
        let short = second & 0x7f;
        let length = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let mask = if second & 0x80 == 0 { 0 } else { 4 };
        if self.come < 2 || self.come < 2 + length + mask {
            return false;
        }
        let long = self.header[2..2 + length].iter();
        let long = long.fold(0, |number, byte| number << 8 | u64::from(*byte));
        self.to_come = if length > 0 { long } else { u64::from(short) };
        self.come = 0;
        if first & 0x08 == 0 {
            self.message = self.message.saturating_add(self.to_come);
            self.open = first & 0x80 == 0;
        } else {
            self.control = self.to_come;
        }
        true
    }

    fn end(&mut self) {
        self.control = 0;
        if !self.open {
            self.message = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_tungstenite::tungstenite::protocol::frame::{
        Frame,
        coding::{Control, Data, OpCode},
    };

    const TEXT: OpCode = OpCode::Data(Data::Text);
    const MORE: OpCode = OpCode::Data(Data::Continue);
    const PING: OpCode = OpCode::Control(Control::Ping);

    fn bytes(frames: &[(OpCode, usize, bool)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (code, length, last) in frames {
            let payload = vec![0xff; *length];
            let mut frame = match code {
                OpCode::Control(_) => Frame::ping(payload),
                OpCode::Data(_) => Frame::message(payload, *code, *last),
            };
            frame.header_mut().mask = (length % 2 == 0).then_some([1, 2, 3, 4]);
            frame.format(&mut bytes).unwrap();
        }
        bytes
    }

    fn unfinished(bytes: &[u8]) -> Option<u64> {
        let mut frames = Frames::default();
        frames.read(bytes);
        frames.unfinished()
    }

    #[test]
    fn a_message_is_unfinished_from_its_first_byte_to_its_last() {
        for length in [0, 1, 125, 126, 1000, 65_535, 65_536, 100_000] {
            let whole = bytes(&[(TEXT, length, true)]);
            let at = |end: usize| unfinished(&whole[..end]);
            assert_eq!((at(0), at(1), at(whole.len())), (None, Some(0), None));
            // Its length is known when its header is there.
            let before = if length > 0 {
                Some(length as u64)
            } else {
                Some(0)
            };
            assert_eq!(at(whole.len() - 1), before, "{length}");
        }
    }

    #[test]
    fn frames_of_a_message_count_together_whatever_comes_between_them() {
        let begun = [
            (TEXT, 300, false),
            (PING, 7, true),
            (MORE, 0, false),
            (MORE, 200, false),
        ];
        assert_eq!(unfinished(&bytes(&begun)), Some(500));
        let ended = [&begun[..], &[(PING, 1, true), (MORE, 5, true)]].concat();
        assert_eq!(unfinished(&bytes(&ended)), None);
        let next = [&ended[..], &[(TEXT, 0, false)]].concat();
        assert_eq!(unfinished(&bytes(&next)), Some(0));
    }

    #[test]
    fn it_does_not_matter_in_which_pieces_it_arrives() {
        let sent = bytes(&[
            (TEXT, 300, false),
            (PING, 7, true),
            (MORE, 70_000, true),
            (TEXT, 9, true),
        ]);
        for size in [1, 2, 3, 7, 13, 14, 1000] {
            let mut frames = Frames::default();
            for (number, piece) in sent.chunks(size).enumerate() {
                frames.read(piece);
                let come = &sent[..sent.len().min((number + 1) * size)];
                assert_eq!(frames.unfinished(), unfinished(come), "{size}");
            }
            assert_eq!(frames.unfinished(), None);
        }
    }

    #[test]
    fn no_length_overflows() {
        let huge = [
            0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4,
        ];
        assert_eq!(unfinished(&huge), Some(u64::MAX));
    }
}
