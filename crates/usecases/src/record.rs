use tenantry_domain::event::Event;
use tenantry_ports::{ControlTx, StoreError, StoreResult};

use crate::{Platform, journal};

/// What a unit of work of the control database leaves in the platform's log.
#[derive(Debug)]
pub struct Record {
    by: Option<String>,
    events: Vec<Event>,
}

impl Record {
    /// Who does all this, if it is somebody's doing.
    pub(crate) fn by(&self) -> Option<&str> {
        self.by.as_deref()
    }

    /// One event more.
    pub(crate) fn add(&mut self, event: Event) {
        self.events.push(event);
    }
}

/// One unit of work that may write to the control database: commits on `Ok`, with what `body` has recorded, rolls back on
/// `Err`. `by` is who does it, if it is somebody's doing.
///
/// The log is locked last. Whoever holds it therefore waits for nobody, and is waited for no longer than it takes to
/// append and to commit.
pub fn recorded<T, E: From<StoreError>>(
    platform: &Platform,
    by: Option<&str>,
    body: impl FnOnce(&mut dyn ControlTx, &mut Record) -> Result<T, E>,
) -> Result<T, E> {
    let mut record = Record { by: by.map(ToOwned::to_owned), events: Vec::new() };
    let (done, moved) = platform.control.write(|tx| {
        let done = body(tx, &mut record)?;
        Ok::<_, E>((done, append(platform, tx, record.events)?))
    })?;
    if moved {
        platform.nudge.platform_log_moved();
    }
    Ok(done)
}

/// Appends these; false if there are none.
fn append(platform: &Platform, tx: &mut dyn ControlTx, events: Vec<Event>) -> StoreResult<bool> {
    if events.is_empty() {
        return Ok(false);
    }
    let head = tx.log().lock()?;
    tx.log().append(&journal::chained(platform, head, events))?;
    Ok(true)
}
