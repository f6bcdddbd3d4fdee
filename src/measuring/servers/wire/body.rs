//! The body of an answer, cut out of what frames it (RFC 9112, section 6.3 and 7.1), purely: bytes as they were read go in, pieces of the
//! body come out, as slices of the same bytes. Any split of the bytes gives the same body.

/// The most bytes of chunk extensions and of trailers in a whole body: nobody sends any, so this only bounds what is read over.
const EXTRAS: usize = 16 * 1024;

/// How much is left of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum BodyFraming {
    /// Nothing: it is over.
    #[default]
    Over,
    /// So many bytes.
    Length(u64),
    /// Chunks, each with its length in front.
    Chunked(ChunkedFraming),
    /// Whatever comes until the connection is closed.
    UntilClose,
}

/// Where in a chunked body the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ChunkedFraming {
    at: ChunkedFramingState,
    /// Of extensions and trailers so far.
    extras: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum ChunkedFramingState {
    /// Before the first digit of a chunk's size.
    #[default]
    Start,
    /// Within the digits.
    Size(u64),
    /// In white space behind them.
    Space(u64),
    /// In an extension, which is read over.
    Extension(u64),
    /// Before the line feed behind the size.
    SizeEnd(u64),
    /// So many bytes before a chunk's end.
    Data(u64),
    DataReturn,
    DataEnd,
    /// At the start of a trailer's line, or of the last, empty one.
    Line,
    /// In a trailer, which is read over.
    Trailer,
    TrailerEnd,
    LastEnd,
    Over,
}

impl BodyFraming {
    pub(super) fn chunked() -> Self {
        Self::Chunked(ChunkedFraming::default())
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Over | Self::Length(0) | Self::Chunked(ChunkedFraming { at: ChunkedFramingState::Over, .. }))
    }

    /// The next piece of the body, taken off `bytes` with what frames it; `None` where there is none among them. Bytes behind the end
    /// stay. The error says what is wrong.
    pub(super) fn piece<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, &'static str> {
        match self {
            Self::Over => Ok(None),
            Self::Length(left) => Ok(take(left, bytes)),
            Self::Chunked(chunks) => chunks.piece(bytes),
            Self::UntilClose => {
                let all = std::mem::take(bytes);
                Ok((!all.is_empty()).then_some(all))
            }
        }
    }

    /// The connection was closed. The error says what is missing.
    pub(super) fn close(&mut self) -> Result<(), &'static str> {
        match self {
            Self::UntilClose => *self = Self::Over,
            _ if self.is_over() => {}
            Self::Chunked(ChunkedFraming { at: ChunkedFramingState::Data(_), .. }) | Self::Length(_) | Self::Over => {
                return Err("end of file before message length reached");
            }
            Self::Chunked(_) => return Err("unexpected EOF during chunk size line"),
        }
        Ok(())
    }
}

/// At most `left` bytes.
fn take<'a>(left: &mut u64, bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let count = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
    if count == 0 {
        return None;
    }
    let (piece, rest) = bytes.split_at(count);
    *left -= count as u64;
    *bytes = rest;
    Some(piece)
}

impl ChunkedFraming {
    fn piece<'a>(&mut self, bytes: &mut &'a [u8]) -> Result<Option<&'a [u8]>, &'static str> {
        loop {
            if let ChunkedFramingState::Data(left) = &mut self.at {
                let piece = take(left, bytes);
                if *left == 0 {
                    self.at = ChunkedFramingState::DataReturn;
                }
                return Ok(piece);
            }
            if self.at == ChunkedFramingState::Over {
                return Ok(None);
            }
            let Some((byte, rest)) = bytes.split_first() else { return Ok(None) };
            *bytes = rest;
            self.at = self.after(*byte)?;
        }
    }

    /// Where the byte behind this one stands.
    fn after(&mut self, byte: u8) -> Result<ChunkedFramingState, &'static str> {
        Ok(match (self.at, byte) {
            (ChunkedFramingState::Start, _) => ChunkedFramingState::Size(digit(byte).ok_or("invalid chunk size line: missing size digit")?),
            (ChunkedFramingState::Size(size) | ChunkedFramingState::Space(size), b' ' | b'\t') => ChunkedFramingState::Space(size),
            (ChunkedFramingState::Size(size) | ChunkedFramingState::Space(size), b';') => ChunkedFramingState::Extension(size),
            (ChunkedFramingState::Size(size) | ChunkedFramingState::Space(size) | ChunkedFramingState::Extension(size), b'\r') => {
                ChunkedFramingState::SizeEnd(size)
            }
            (ChunkedFramingState::Size(size), _) => {
                let digit = digit(byte).ok_or("invalid chunk size line: invalid size")?;
                ChunkedFramingState::Size(
                    size.checked_mul(16).and_then(|size| size.checked_add(digit)).ok_or("invalid chunk size: overflow")?,
                )
            }
            (ChunkedFramingState::Extension(size), byte) if byte != b'\n' => self.read_over(ChunkedFramingState::Extension(size))?,
            (ChunkedFramingState::SizeEnd(0) | ChunkedFramingState::TrailerEnd, b'\n') => ChunkedFramingState::Line,
            (ChunkedFramingState::SizeEnd(size), b'\n') => ChunkedFramingState::Data(size),
            (ChunkedFramingState::DataReturn, b'\r') => ChunkedFramingState::DataEnd,
            (ChunkedFramingState::DataEnd, b'\n') => ChunkedFramingState::Start,
            (ChunkedFramingState::Line, b'\r') => ChunkedFramingState::LastEnd,
            (ChunkedFramingState::Trailer, b'\r') => ChunkedFramingState::TrailerEnd,
            (ChunkedFramingState::Line | ChunkedFramingState::Trailer, _) => self.read_over(ChunkedFramingState::Trailer)?,
            (ChunkedFramingState::LastEnd, b'\n') => ChunkedFramingState::Over,
            (ChunkedFramingState::DataReturn | ChunkedFramingState::DataEnd, _) => return Err("a chunk is longer than its size"),
            _ => return Err("invalid chunk size line: invalid end of line"),
        })
    }

    fn read_over(&mut self, at: ChunkedFramingState) -> Result<ChunkedFramingState, &'static str> {
        self.extras += 1;
        if self.extras > EXTRAS { Err("chunk extensions or trailers over the limit") } else { Ok(at) }
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The body of these pieces, and what is left behind its end; the error where it is none.
    fn read<'a>(mut body: BodyFraming, reads: impl IntoIterator<Item = &'a [u8]>) -> Result<(String, usize), &'static str> {
        let (mut whole, mut left) = (Vec::new(), 0);
        for mut bytes in reads {
            while let Some(piece) = body.piece(&mut bytes)? {
                assert!(!piece.is_empty());
                whole.extend_from_slice(piece);
            }
            assert!(bytes.is_empty() || body.is_over(), "all is taken until the end");
            left += bytes.len();
        }
        body.close()?;
        assert!(body.is_over());
        Ok((String::from_utf8(whole).unwrap(), left))
    }

    fn chunked(bytes: &str) -> Result<(String, usize), &'static str> {
        read(BodyFraming::chunked(), [bytes.as_bytes()])
    }

    #[test]
    fn chunks_are_joined_with_their_extensions_and_trailers_read_over() {
        assert_eq!(
            chunked("3\r\nabc\r\n0A ;x=\"1\"\r\n0123456789\r\n0\r\nexpires: never\r\nb: c\r\n\r\n"),
            Ok(("abc0123456789".into(), 0))
        );
        assert_eq!(chunked("0\r\n\r\nHTTP"), Ok((String::new(), 4)));
        assert_eq!(chunked("1  \r\na\r\n0;e\r\n\r\n"), Ok(("a".into(), 0)));
    }

    #[test]
    fn what_is_no_chunk_is_refused() {
        for bytes in
            ["zz\r\n", "\r\n", "3\nabc", "3\r\nabcd\r\n", "3\r\nabc\n", "3;x\ny\r\n", "3 4\r\n", "11111111111111111\r\n", "0\r\n\rx"]
        {
            assert!(chunked(bytes).is_err(), "{bytes:?}");
        }
        let endless = format!("1;{}", "x".repeat(20_000));
        assert!(chunked(&endless).is_err());
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(4000));
        assert!(chunked(&trailers).is_err());
    }

    #[test]
    fn a_body_cut_short_is_told_from_one_that_is_over() {
        for bytes in ["", "3", "3\r\n", "3\r\nab", "3\r\nabc", "3\r\nabc\r\n", "0\r\n", "0\r\n\r"] {
            assert!(chunked(bytes).is_err(), "{bytes:?}");
        }
        assert!(read(BodyFraming::Length(4), [&b"abc"[..]]).is_err());
        assert_eq!(read(BodyFraming::Length(3), [&b"ab"[..], b"cd"]), Ok(("abc".into(), 1)));
        assert_eq!(read(BodyFraming::Length(0), [&b"x"[..]]), Ok((String::new(), 1)));
        assert_eq!(read(BodyFraming::UntilClose, [&b"ab"[..], b"", b"c"]), Ok(("abc".into(), 0)));
    }

    proptest! {
        #[test]
        fn any_split_of_the_bytes_gives_the_same_body(
            chunks in proptest::collection::vec("[a-z\r\n;0]{1,40}", 0..12),
            cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..12),
        ) {
            let framed: Vec<String> = chunks.iter().map(|chunk| format!("{:x}\r\n{chunk}\r\n", chunk.len())).collect();
            let framed = format!("{}0\r\nt: u\r\n\r\nrest", framed.concat()).into_bytes();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(framed.len() + 1)).collect();
            cuts.extend([0, framed.len()]);
            cuts.sort_unstable();
            let reads = cuts.windows(2).map(|pair| &framed[pair[0]..pair[1]]);
            prop_assert_eq!(read(BodyFraming::chunked(), reads), Ok((chunks.concat(), 4)));
        }
    }
}
