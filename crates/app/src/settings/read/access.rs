//! `provisioning.access`, and what goes with it.

use tenantry_outbound_reqwest::{MAX_TIMEOUT, SiteverifySettings, endpoint, is_hostname};

use super::{Access, Reader, SECOND};
use crate::settings::Problem;
use crate::settings::value::Value;

const PROVIDER: &str = "provisioning.captcha.provider";
const ENDPOINT: &str = "provisioning.captcha.endpoint";
const SECRET: &str = "provisioning.captcha.secret";

/// What `provisioning.access` may say.
enum Word {
    Open,
    Operator,
    Captcha,
}

impl Reader<'_> {
    /// Who may order a tenant. What is said about the captcha has to be right even where there is none, but has to be
    /// complete only where there is one.
    pub(super) fn access(&mut self) -> Access {
        let word = self.read("provisioning.access", Word::Operator, word);
        let provider = self.read(PROVIDER, None, provider);
        let own = self.read(ENDPOINT, None, own_endpoint);
        let secret = self.secret(SECRET, |text| match text.contains(char::is_whitespace) {
            true => Err("there is white space in it".to_owned()),
            false => Ok(()),
        });
        let expected_hostname = self.read("provisioning.captcha.hostname", None, hostname);
        let timeout = self.duration("provisioning.captcha.timeout", SECOND / 10, MAX_TIMEOUT);
        match (word, own.or(provider), secret) {
            (Word::Open, ..) => Access::Open,
            (Word::Operator, ..) => Access::Operator,
            (Word::Captcha, Some(endpoint), Some(secret)) => {
                Access::Captcha(SiteverifySettings { endpoint, secret, expected_hostname, timeout })
            }
            (Word::Captcha, ..) => {
                self.miss(&[PROVIDER, ENDPOINT], "turnstile, hcaptcha or recaptcha");
                self.miss(
                    &[SECRET],
                    "TENANTRY_CAPTCHA_SECRET, or TENANTRY_CAPTCHA_SECRET_FILE for a file that holds it",
                );
                // One problem is enough for there to be no settings.
                Access::Operator
            }
        }
    }

    /// Notes that the first of these settings is missing, unless one of them says something.
    fn miss(&mut self, names: &[&'static str], set: &str) {
        let empty =
            |name: &&str| matches!(self.layers.get(name), Some((Value::Text(text), _)) if text.is_empty());
        if names.iter().all(empty) {
            let what = format!("with provisioning.access = captcha this is needed; set {set}");
            self.problems.push(Problem::new(names[0], what));
        }
    }
}

fn word(text: &str) -> Result<Word, String> {
    match text {
        "open" => Ok(Word::Open),
        "operator" => Ok(Word::Operator),
        "captcha" => Ok(Word::Captcha),
        "hmac" => Err("'hmac' is not available in this version; choose open, operator or captcha".to_owned()),
        _ => Err(format!("'{text}' is none of open, operator and captcha")),
    }
}

fn provider(text: &str) -> Result<Option<String>, String> {
    match text {
        "" => Ok(None),
        "turnstile" => Ok(Some(endpoint::TURNSTILE.to_owned())),
        "hcaptcha" => Ok(Some(endpoint::HCAPTCHA.to_owned())),
        "recaptcha" => Ok(Some(endpoint::RECAPTCHA.to_owned())),
        _ => Err(format!(
            "'{text}' is none of turnstile, hcaptcha and recaptcha; for another provider set {ENDPOINT}"
        )),
    }
}

fn own_endpoint(text: &str) -> Result<Option<String>, String> {
    match text {
        "" => Ok(None),
        // The sentence does not repeat the URL: somebody may have put a password into it.
        url => endpoint::check(url).map(|()| Some(url.to_owned())).map_err(str::to_owned),
    }
}

fn hostname(text: &str) -> Result<Option<String>, String> {
    match text {
        "" => Ok(None),
        name if is_hostname(name) => Ok(Some(name.to_owned())),
        _ => Err(format!("'{text}' is no host name alone, such as www.example.com")),
    }
}
