use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tenantry_ports::{
    Mail, MailAnswer, MailFailure, Mailer, Secret, WebhookAnswer, WebhookFailure, WebhookRequest,
    WebhookResponse, WebhookSender, WebhookSigner,
};

/// What came in, and what is going to be answered: in order, and after that always well.
#[derive(Debug)]
struct Script<R, A> {
    received: Vec<R>,
    answers: VecDeque<A>,
}

impl<R, A> Default for Script<R, A> {
    fn default() -> Self {
        Self { received: Vec::new(), answers: VecDeque::new() }
    }
}

/// Keeps the mails it is given, and answers as it was told.
#[derive(Debug, Default)]
pub struct FakeMailer(Mutex<Script<Mail, Result<(), MailFailure>>>);

impl FakeMailer {
    /// The mails so far, refused ones too.
    pub fn mails(&self) -> Vec<Mail> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).received.clone()
    }

    /// Fails the next mail that is not spoken for yet.
    pub fn fail(&self, lasting: bool) {
        let failure = MailFailure { lasting, detail: "554 5.7.1 not today".to_owned() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answers.push_back(Err(failure));
    }
}

impl Mailer for FakeMailer {
    fn send<'a>(&'a self, mail: &'a Mail, _: Duration) -> MailAnswer<'a> {
        let mut script = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        script.received.push(mail.clone());
        let answer = script.answers.pop_front().unwrap_or(Ok(()));
        Box::pin(std::future::ready(answer))
    }
}

/// A call that [`FakeWebhooks`] received.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the request it was")]
pub struct ReceivedCall {
    pub url: String,
    pub id: String,
    pub at: DateTime<Utc>,
    pub signature: String,
    pub body: Vec<u8>,
}

/// Keeps the calls it is to make, and answers as it was told; else with 204.
#[derive(Debug, Default)]
pub struct FakeWebhooks(Mutex<Script<ReceivedCall, Result<WebhookResponse, WebhookFailure>>>);

impl FakeWebhooks {
    /// The calls so far, refused ones too.
    pub fn calls(&self) -> Vec<ReceivedCall> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).received.clone()
    }

    /// Answers the next call that is not spoken for yet with this status.
    pub fn answer(&self, status: u16, retry_after: Option<Duration>) {
        let excerpt = "as it was told".to_owned();
        self.script(Ok(WebhookResponse { status, excerpt, retry_after }));
    }

    /// Does not answer the next call that is not spoken for yet.
    pub fn fail(&self, failure: WebhookFailure) {
        self.script(Err(failure));
    }

    fn script(&self, answer: Result<WebhookResponse, WebhookFailure>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).answers.push_back(answer);
    }
}

impl WebhookSender for FakeWebhooks {
    fn send<'a>(&'a self, request: WebhookRequest<'a>) -> WebhookAnswer<'a> {
        let mut script = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        script.received.push(ReceivedCall {
            url: request.url.to_owned(),
            id: request.id.to_owned(),
            at: request.at,
            signature: request.signature.to_owned(),
            body: request.body.to_vec(),
        });
        let good = WebhookResponse { status: 204, excerpt: String::new(), retry_after: None };
        let answer = script.answers.pop_front().unwrap_or(Ok(good));
        Box::pin(std::future::ready(answer))
    }
}

/// Signatures that say what was signed with what: `v1,<secret>:<id>.<seconds>.<length of the body>`, one per secret.
#[derive(Debug, Clone, Copy, Default)]
pub struct FakeSigner;

impl WebhookSigner for FakeSigner {
    fn sign(&self, secrets: &[Secret], id: &str, at: DateTime<Utc>, body: &[u8]) -> String {
        let sign = |secret: &Secret| format!("v1,{}:{id}.{}.{}", secret.expose(), at.timestamp(), body.len());
        secrets.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}
