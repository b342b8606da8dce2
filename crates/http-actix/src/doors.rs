//! Who may order a tenant, at either of the two doors to one.

pub(crate) mod signed;

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName};
use tenantry_ports::{CaptchaVerdict, CaptchaVerifier};
use tenantry_usecases::access::Principal;
use tenantry_usecases::signatures::{self, Signers};

use crate::auth::{Credential, visible};
use crate::body::{Body, Received};
use crate::call::Call;
use crate::problem::{Code, Problem};

/// What the captcha's widget gave the visitor.
const RESPONSE: HeaderName = HeaderName::from_static("x-captcha-response");

/// How the two doors to a tenant, `POST /provision/tenants/init` and `POST {prefix}/tenants`, are kept.
#[derive(Clone)]
pub enum Doors {
    /// Anybody may order a tenant.
    Open,
    /// The operator may.
    Operator,
    /// Whoever solves a challenge may, and the operator without one. What cannot be checked lets nobody in.
    Captcha(Arc<dyn CaptchaVerifier>),
    /// Whoever signs the request may, and the operator without that.
    Hmac(Signers),
}

/// Which of the [`Doors`], for those who only talk about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// [`Doors::Open`].
    Open,
    /// [`Doors::Operator`].
    Operator,
    /// [`Doors::Captcha`].
    Captcha,
    /// [`Doors::Hmac`].
    Hmac {
        /// By how much a signer's clock may be off.
        window: Duration,
    },
}

impl Doors {
    /// Which they are.
    pub fn access(&self) -> Access {
        match self {
            Self::Open => Access::Open,
            Self::Operator => Access::Operator,
            Self::Captcha(_) => Access::Captcha,
            Self::Hmac(signers) => Access::Hmac { window: signers.window.to_std().unwrap_or_default() },
        }
    }
}

impl Call {
    /// An order for a tenant, if the doors let its sender in.
    ///
    /// The credential comes first, as everywhere. The captcha comes last, when nothing is wrong with the body: its token
    /// works once, and a typing error should not cost the visitor another challenge.
    pub(crate) async fn order<T: Body>(&mut self) -> Result<Received<T>, Problem> {
        match self.state.doors.clone() {
            Doors::Open => self.body().await,
            Doors::Operator => {
                if !self.is_operator(Credential::of(self.headers())?).await? {
                    return Err(Problem::new(Code::Forbidden, "Only the operator may order tenants here"));
                }
                self.body().await
            }
            Doors::Captcha(verifier) => {
                let exempt = self.is_exempt().await?;
                let order = self.body().await?;
                if !exempt {
                    self.challenge(verifier.as_ref()).await?;
                }
                Ok(order)
            }
            Doors::Hmac(_) if self.is_exempt().await? => self.body().await,
            Doors::Hmac(signers) => self.signed(signers).await,
        }
    }

    /// A signed order. Who did not sign learns nothing about the body; the nonce comes last, so that a typing error does
    /// not cost another one.
    async fn signed<T: Body>(&mut self, signers: Signers) -> Result<Received<T>, Problem> {
        let signature = signed::signature(self.headers())?;
        let bytes = self.bytes().await?;
        let message = signed::message(self.request(), &signature, &self.platform().digest.hex(&bytes));
        signatures::check(self.platform(), &signers, &signature, message.as_bytes())?;
        let order = self.parsed(bytes)?;
        self.on_storage(move |platform| signatures::use_up(platform, &signers, &signature)).await?;
        Ok(order)
    }

    /// Whether it is the operator, who needs nothing else. Whoever presents a credential means it: one that does not work
    /// is told, not passed over.
    async fn is_exempt(&self) -> Result<bool, Problem> {
        match Credential::of(self.headers()) {
            Ok(credential) => self.is_operator(credential).await,
            Err(_) => Ok(false),
        }
    }

    async fn is_operator(&self, credential: Credential<'_>) -> Result<bool, Problem> {
        Ok(matches!(*self.caller(credential).await?, Principal::Operator { .. }))
    }

    /// Lets nobody pass but who solved the challenge. The visitor's address is not passed on: behind a proxy it is the
    /// proxy's, and would make every visitor look like the same one.
    async fn challenge(&self, verifier: &dyn CaptchaVerifier) -> Result<(), Problem> {
        let response = response(self.headers()).ok_or_else(|| {
            let detail = "The header X-Captcha-Response with the captcha's response token is required";
            Problem::new(Code::CaptchaFailed, detail)
        })?;
        match verifier.verify(response, None).await {
            Ok(CaptchaVerdict::Passed) => Ok(()),
            Ok(CaptchaVerdict::Refused { codes }) => {
                // The visitor cannot tell from the answer that it is the site's key that is set up wrongly; the log can.
                tracing::info!(
                    target: "tenantry::http",
                    request_id = self.request_id(),
                    codes = codes.join(" "),
                    "captcha refused"
                );
                let detail =
                    "The captcha's response token does not hold: it is wrong, too old or was used before";
                Err(Problem::new(Code::CaptchaFailed, detail))
            }
            Err(error) => {
                let detail = "The captcha cannot be checked at the moment, and without that nothing is begun";
                Err(Problem::new(Code::CaptchaUnavailable, detail).because(error))
            }
        }
    }
}

fn response(headers: &HeaderMap) -> Option<&str> {
    visible(headers.get(RESPONSE)?)
}
