//! `notices`: what was told outside, and what could not be.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use tenantry_ports::{NoticeFilter, NoticeRecord, NoticeState};
use tenantry_usecases::Platform;
use tenantry_usecases::notices;

use super::{print, print_json, tenant_id};
use crate::cli::{Notices, NoticesAction, ResendNotices};
use crate::compose::store_failure;
use crate::failure::Failure;

/// Lists notices, or has some sent again.
pub(crate) fn notices(platform: &Platform, wish: &Notices) -> Result<(), Failure> {
    match &wish.action {
        None => list(platform, wish),
        Some(NoticesAction::Resend(wish)) => resend(platform, wish),
    }
}

/// With an id of which nothing was given up, that is a failure; to send everything again that is nothing is none.
fn resend(platform: &Platform, wish: &ResendNotices) -> Result<(), Failure> {
    let resent = notices::resend(platform, wish.id).map_err(|error| store_failure(&error))?;
    match (resent, wish.id) {
        (0, Some(id)) => {
            let next = "`tenantry notices --status given-up` lists those that were, with their ids";
            Err(Failure::new(format!("no notice {id} was given up"), next))
        }
        (1, _) => print("1 notice is due again; a worker sends it.\n"),
        (some, _) => print(&format!("{some} notices are due again; a worker sends them.\n")),
    }
}

/// Newest first.
fn list(platform: &Platform, wish: &Notices) -> Result<(), Failure> {
    let tenant = wish.tenant.as_deref().map(|text| tenant_id(platform, text)).transpose()?;
    let filter = NoticeFilter { status: wish.status, tenant };
    let found = notices::list(platform, &filter, None, wish.limit).map_err(|error| store_failure(&error))?;
    if wish.json {
        return print_json(&found.iter().map(as_json).collect());
    }
    if found.is_empty() {
        eprintln!("There are no such notices.");
    }
    print(&found.iter().map(line).collect::<String>())
}

/// When, how, what, of whom, under which id, where it stands, and what went wrong: the last is long, so nothing comes after it.
fn line(record: &NoticeRecord) -> String {
    let NoticeRecord { notice, state, attempts, last_error } = record;
    let since = match state {
        NoticeState::Pending { due } => format!("pending, due {}", time(*due)),
        NoticeState::Delivered { at } => format!("delivered {}", time(*at)),
        NoticeState::GivenUp { at } => format!("given up {}", time(*at)),
    };
    let error = last_error.as_deref().map_or(String::new(), |error| format!("  last error: {error}"));
    format!(
        "{}  {:<7}  {:<36}  {}  {}  {since}  attempts: {attempts}{error}\n",
        time(notice.created_at),
        notice.channel.as_str(),
        notice.event.as_str(),
        notice.tenant,
        notice.id
    )
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn as_json(record: &NoticeRecord) -> Value {
    let NoticeRecord { notice, state, attempts, last_error } = record;
    let (due, settled) = match state {
        NoticeState::Pending { due } => (Some(time(*due)), None),
        NoticeState::Delivered { at } | NoticeState::GivenUp { at } => (None, Some(time(*at))),
    };
    json!({
        "id": notice.id,
        "channel": notice.channel.as_str(),
        "tenantId": notice.tenant,
        "eventType": notice.event,
        "createdAt": time(notice.created_at),
        "status": state.status().as_str(),
        "dueAt": due,
        "settledAt": settled,
        "attempts": attempts,
        "lastError": last_error,
    })
}
