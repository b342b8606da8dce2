use std::io::{self, BufRead, Read as _};

/// No line is longer than this many bytes; what is, is no archive.
const LONGEST: usize = 64 << 20;

/// The lines of an archive, one at a time.
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) const fn new(input: R) -> Self {
        Self { input, line: Vec::new() }
    }

    /// The next line with its end, which only a line that is cut off does not have; none after the last one.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let longest = LONGEST as u64;
        let length = self.input.by_ref().take(longest).read_until(b'\n', &mut self.line)?;
        Ok((length > 0).then_some(&self.line))
    }
}
