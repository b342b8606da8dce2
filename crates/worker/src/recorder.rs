use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tenantry_usecases::{Platform, api_keys};

use crate::bell::Bell;

/// How often it is written down which API keys were used: what is read is at most a minute old.
const PERIOD: Duration = Duration::from_secs(30);

/// A thread that writes down which API keys were used in this process.
#[derive(Debug)]
pub struct Recorder {
    bell: Arc<Bell>,
    thread: JoinHandle<()>,
}

impl Recorder {
    /// Starts the thread.
    pub fn start(platform: &Arc<Platform>) -> std::io::Result<Self> {
        let bell = Arc::new(Bell::default());
        let (platform, closed) = (Arc::clone(platform), Arc::clone(&bell));
        let thread =
            thread::Builder::new().name("key-uses".to_owned()).spawn(move || record(&platform, &closed))?;
        Ok(Self { bell, thread })
    }

    /// Has it write down what there is left, and waits for that.
    pub fn stop(self) {
        self.bell.close();
        // What it panicked with was logged when it did.
        let _ = self.thread.join();
    }
}

fn record(platform: &Platform, bell: &Bell) {
    loop {
        let woken = bell.wait(Some(PERIOD));
        match catch_unwind(AssertUnwindSafe(|| api_keys::record_uses(platform))) {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!("For now, the use of API keys cannot be written down: {error}"),
            Err(_) => tracing::error!("For now, the use of API keys cannot be written down: it panicked"),
        }
        if woken.is_none() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tenantry_testkit::TestPlatform;
    use tenantry_usecases::access;
    use tenantry_usecases::api_keys::{NewKey, create, find};

    use super::*;

    #[test]
    fn what_was_used_before_it_stops_is_written_down() {
        let test = TestPlatform::new();
        let wish = NewKey {
            owner: None,
            name: "test".to_owned(),
            scopes: BTreeSet::new(),
            expires_at: None,
            created_by: "test".to_owned(),
        };
        let (key, text) = create(&test.platform, wish).unwrap();
        let recorder = Recorder::start(&test.platform).unwrap();
        access::authenticate(&test.platform, text.expose()).unwrap().unwrap();
        recorder.stop();
        let used = find(&test.platform, None, key.id).unwrap().unwrap().last_used_at;
        assert_eq!(used, Some(test.platform.clock.now()));
    }
}
