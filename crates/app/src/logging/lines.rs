//! Lines that one thread writes for all.
//!
//! A line costs its writer a copy; what gathered in the last few milliseconds costs one system call. Nothing is ever left
//! out: where lines come faster than they can be written, those who log wait, as they would without this.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// How long a line may wait for others to be written with it: nobody who looks on notices.
const GATHER: Duration = Duration::from_millis(5);
/// How many bytes may wait.
const BOUND: usize = 1024 * 1024;

/// Writes lines until it is dropped, which writes the rest.
pub(crate) struct Lines {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// Where lines are left to be written. Those that come after the end are written, too, by who leaves them.
#[derive(Clone)]
pub(crate) struct Entrance(Arc<Shared>);

struct Shared {
    waiting: Mutex<Waiting>,
    /// There is something to write, or the end has come.
    arrived: Condvar,
    /// There is room again.
    taken: Condvar,
    sink: Mutex<Box<dyn Write + Send>>,
}

#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    ended: bool,
}

impl Lines {
    /// Writes to `sink` from now on.
    pub(crate) fn to(sink: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            arrived: Condvar::new(),
            taken: Condvar::new(),
            sink: Mutex::new(Box::new(sink)),
        });
        let writing = Arc::clone(&shared);
        let thread = thread::Builder::new().name("log".to_owned()).spawn(move || writing.write_all())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// The way in.
    pub(crate) fn entrance(&self) -> Entrance {
        Entrance(Arc::clone(&self.shared))
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.arrived.notify_one();
        if let Some(thread) = self.thread.take() {
            // Were it to panic, there would be nobody to tell.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a line, once there is room for it.
    fn leave(&self, line: &[u8]) {
        let full = |waiting: &mut Waiting| waiting.bytes.len() >= BOUND && !waiting.ended;
        let room = self.taken.wait_while(self.lock(), full);
        let mut waiting = room.unwrap_or_else(PoisonError::into_inner);
        if waiting.ended {
            drop(waiting);
            return self.write(line);
        }
        let before = waiting.bytes.len();
        waiting.bytes.extend_from_slice(line);
        let after = waiting.bytes.len();
        drop(waiting);
        if before == 0 || (before < BOUND && after >= BOUND) {
            self.arrived.notify_one();
        }
    }

    /// Writes what is left here, until the end.
    fn write_all(&self) {
        let mut chunk = Vec::new();
        while self.take(&mut chunk) {
            self.write(&chunk);
            chunk.clear();
            // What a burst took is given back.
            chunk.shrink_to(BOUND / 16);
        }
    }

    /// Waits for lines and then for those that follow closely; `false` if there are none and will be none.
    fn take(&self, chunk: &mut Vec<u8>) -> bool {
        let idle = |waiting: &mut Waiting| waiting.bytes.is_empty() && !waiting.ended;
        let first = self.arrived.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        let room = |waiting: &mut Waiting| waiting.bytes.len() < BOUND && !waiting.ended;
        let gathered = self.arrived.wait_timeout_while(first, GATHER, room);
        let (mut waiting, _) = gathered.unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut waiting.bytes, chunk);
        drop(waiting);
        self.taken.notify_all();
        !chunk.is_empty()
    }

    fn write(&self, bytes: &[u8]) {
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        // Where even standard error is closed, nobody is there to be told.
        let _ = sink.write_all(bytes);
    }
}

impl Write for &Entrance {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.leave(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Entrance {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{self, Receiver};
    use std::time::Instant;

    use super::*;

    /// Keeps what is written, for the test to look at.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Paper {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn wait_until(what: &str, holds: impl Fn() -> bool) {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
            thread::yield_now();
        }
    }

    #[test]
    fn every_line_arrives_whole_and_in_its_writers_order() {
        let paper = Paper::default();
        let lines = Lines::to(paper.clone()).unwrap();
        thread::scope(|scope| {
            for writer in 0..4 {
                let entrance = lines.entrance();
                scope.spawn(move || {
                    for n in 0..5000 {
                        entrance.make_writer().write_all(format!("{writer} {n}\n").as_bytes()).unwrap();
                    }
                });
            }
        });
        drop(lines);
        let text = paper.text();
        for writer in 0..4 {
            let prefix = format!("{writer} ");
            let own = text.lines().filter_map(|line| line.strip_prefix(&prefix));
            assert!(own.eq((0..5000).map(|n| n.to_string())), "of writer {writer}");
        }
        assert_eq!(text.lines().count(), 4 * 5000);
    }

    #[test]
    fn a_line_is_written_without_another_one_after_it() {
        let paper = Paper::default();
        let lines = Lines::to(paper.clone()).unwrap();
        for line in ["first\n", "second\n"] {
            lines.entrance().make_writer().write_all(line.as_bytes()).unwrap();
            wait_until("the line is not written", || paper.text().ends_with(line));
        }
    }

    #[test]
    fn a_line_that_comes_after_the_end_is_written_too() {
        let paper = Paper::default();
        let lines = Lines::to(paper.clone()).unwrap();
        let entrance = lines.entrance();
        entrance.make_writer().write_all(b"before\n").unwrap();
        drop(lines);
        entrance.make_writer().write_all(b"after\n").unwrap();
        assert_eq!(paper.text(), "before\nafter\n");
    }

    /// Does not write before it is told to.
    struct Stuck(Paper, Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.1.recv();
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn where_nothing_can_be_written_those_who_log_wait_and_nothing_is_lost() {
        const LINE: usize = 1024;
        const COUNT: usize = 4 * BOUND / LINE;
        let (paper, (release, released)) = (Paper::default(), mpsc::channel());
        let lines = Lines::to(Stuck(paper.clone(), released)).unwrap();
        let (entrance, left) = (lines.entrance(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&left);
        let writer = thread::spawn(move || {
            for n in 0..COUNT {
                let line = format!("{n:0width$}\n", width = LINE - 1);
                entrance.make_writer().write_all(line.as_bytes()).unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        wait_until("there is less room than there should be", || left.load(Ordering::SeqCst) >= BOUND / LINE);
        // One chunk is on its way to be written, another one waits.
        assert!(left.load(Ordering::SeqCst) <= 2 * BOUND / LINE && !writer.is_finished());
        drop(release);
        writer.join().unwrap();
        drop(lines);
        assert!(paper.text().lines().map(|line| line.parse::<usize>().unwrap()).eq(0..COUNT));
    }
}
