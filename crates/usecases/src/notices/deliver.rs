use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use tenantry_ports::{
    Attempted, Channel, ClaimedNotice, MailFailure, Settlement, StoreResult, WebhookFailure, WebhookRequest,
    WebhookResponse,
};

use super::letter::Letter;
use super::schedule;
use super::{MailChannel, WebhookChannel};
use crate::Platform;

/// How many calls are made at once.
const CALLS: usize = 32;
/// How many mails are sent at once, each over a connection of its own.
const MAILS: usize = 4;
/// How much longer than a delivery may take a notice is leased: for recording what came of it.
const MARGIN: TimeDelta = TimeDelta::seconds(5);
/// How much of an error is kept, in characters.
const LONGEST_ERROR: usize = 500;

/// Why something did not arrive.
#[derive(Debug)]
struct Trouble {
    /// Trying again is of no use.
    lasting: bool,
    /// How long the receiver wants to be left alone.
    patience: Option<Duration>,
    detail: String,
}

/// The channel that is worked on.
enum Way<'a> {
    Mail(&'a MailChannel),
    Webhook(&'a WebhookChannel),
}

/// Claims what is due on this channel, delivers it, all at the same time, and records what came of it; how many notices
/// that were. Does nothing where the channel is off.
///
/// Storage blocks the thread, before the first and after the last `await`. If it stops in between, or what came of it
/// cannot be recorded, the notices are delivered again once their lease is over.
pub async fn deliver_once(platform: &Platform, channel: Channel, worker: &str) -> StoreResult<usize> {
    let Some(way) = Way::of(platform, channel) else {
        return Ok(0);
    };
    let now = platform.clock.now();
    let (lease, slice) = (way.lease(), way.slice());
    let claimed = platform.control.write(|tx| tx.notices().claim(channel, worker, now, lease, slice))?;
    if claimed.is_empty() {
        return Ok(0);
    }
    let attempts = claimed.iter().map(|claimed| way.attempt(platform, claimed));
    let attempts: Vec<_> = join_all(attempts).await;
    let now = platform.clock.now();
    let settlements: Vec<_> = claimed
        .iter()
        .zip(attempts)
        .map(|(claimed, attempted)| {
            let outcome = match attempted {
                Ok(()) => Attempted::Delivered,
                Err(trouble) => way.after(trouble, platform, claimed.attempt, now),
            };
            log(claimed, &outcome);
            let (id, attempt) = (claimed.notice.id, claimed.attempt);
            Settlement { id, channel, attempt, outcome }
        })
        .collect();
    let settled = platform.control.write(|tx| tx.notices().settle(&settlements, now))?;
    if settled < claimed.len() {
        tracing::warn!(
            "Others took over {} notices ({channel}): this took too long",
            claimed.len() - settled
        );
    }
    Ok(claimed.len())
}

impl<'a> Way<'a> {
    fn of(platform: &'a Platform, channel: Channel) -> Option<Self> {
        match channel {
            Channel::Mail => platform.channels.mail.as_ref().map(Self::Mail),
            Channel::Webhook => platform.channels.webhook.as_ref().map(Self::Webhook),
        }
    }

    const fn slice(&self) -> usize {
        match self {
            Self::Mail(_) => MAILS,
            Self::Webhook(_) => CALLS,
        }
    }

    fn lease(&self) -> TimeDelta {
        let (Self::Mail(MailChannel { timeout, .. }) | Self::Webhook(WebhookChannel { timeout, .. })) = self;
        TimeDelta::from_std(*timeout).unwrap_or(TimeDelta::MAX / 2) + MARGIN
    }

    async fn attempt(&self, platform: &Platform, claimed: &ClaimedNotice) -> Result<(), Trouble> {
        match self {
            Self::Mail(mail) => send(mail, claimed).await,
            Self::Webhook(webhook) => call(webhook, platform, claimed).await,
        }
    }

    /// What is to become of a notice that did not arrive.
    fn after(&self, trouble: Trouble, platform: &Platform, attempt: u32, now: DateTime<Utc>) -> Attempted {
        let error = one_line(&trouble.detail);
        let (channel, longest) = match self {
            Self::Mail(mail) => (Channel::Mail, mail.longest_wait),
            Self::Webhook(webhook) => (Channel::Webhook, webhook.longest_wait),
        };
        let jitter = platform.entropy.unit();
        match schedule::wait(channel, attempt, longest, jitter, trouble.patience) {
            Some(wait) if !trouble.lasting => Attempted::Again { at: now + wait, error },
            _ => Attempted::GivenUp { error },
        }
    }
}

async fn send(channel: &MailChannel, claimed: &ClaimedNotice) -> Result<(), Trouble> {
    let letter: Letter = serde_json::from_str(&claimed.notice.payload)
        .map_err(|error| Trouble::lasting(format!("this is no mail: {error}")))?;
    let mail = letter.mail(&claimed.notice, channel.link.as_deref());
    Ok(channel.mailer.send(&mail, channel.timeout).await?)
}

async fn call(channel: &WebhookChannel, platform: &Platform, claimed: &ClaimedNotice) -> Result<(), Trouble> {
    let (id, body) = (claimed.notice.id.to_string(), claimed.notice.payload.as_bytes());
    let at = platform.clock.now();
    let signature = channel.signer.sign(&channel.secrets, &id, at, body);
    let request = WebhookRequest {
        url: &channel.url,
        id: &id,
        at,
        signature: &signature,
        body,
        timeout: channel.timeout,
    };
    let answer = channel.sender.send(request).await?;
    if answer.is_success() { Ok(()) } else { Err(answer.into()) }
}

impl Trouble {
    fn lasting(detail: String) -> Self {
        Self { lasting: true, patience: None, detail }
    }
}

impl From<MailFailure> for Trouble {
    fn from(failure: MailFailure) -> Self {
        Self { lasting: failure.lasting, patience: None, detail: failure.detail }
    }
}

impl From<WebhookFailure> for Trouble {
    fn from(failure: WebhookFailure) -> Self {
        Self { lasting: false, patience: None, detail: failure.to_string() }
    }
}

impl From<WebhookResponse> for Trouble {
    fn from(answer: WebhookResponse) -> Self {
        let detail = format!("status {} {}", answer.status, answer.excerpt);
        // 410: the receiver wants no more of it.
        Self { lasting: answer.status == 410, patience: answer.retry_after, detail }
    }
}

/// An error as it is kept and logged: others wrote parts of it.
fn one_line(text: &str) -> String {
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    printable.take(LONGEST_ERROR).collect::<String>().trim().to_owned()
}

fn log(claimed: &ClaimedNotice, outcome: &Attempted) {
    let (notice, attempt) = (&claimed.notice, claimed.attempt);
    let what = format!("{} of tenant {} ({}, {})", notice.event, notice.tenant, notice.channel, notice.id);
    match outcome {
        Attempted::Delivered => tracing::debug!(attempt, "Told {what}"),
        Attempted::Again { at, error } => {
            tracing::warn!(attempt, "Could not tell {what}, trying again at {at}: {error}");
        }
        Attempted::GivenUp { error } => tracing::error!(attempt, "Giving up telling {what}: {error}"),
    }
}
