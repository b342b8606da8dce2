//! `provisioning.access`, and what goes with it.

use tenantry_outbound_reqwest::{MAX_TIMEOUT, SiteverifySettings, endpoint, is_hostname};
use tenantry_security::InvalidSecrets;

use super::{Access, MINUTE, Reader, SECOND};
use crate::settings::Problem;
use crate::settings::value::Value;

const PROVIDER: &str = "provisioning.captcha.provider";
const ENDPOINT: &str = "provisioning.captcha.endpoint";
const SECRET: &str = "provisioning.captcha.secret";
const HMAC_SECRETS: &str = "provisioning.hmac.secrets";

/// What `provisioning.access` may say.
enum Word {
    Open,
    Operator,
    Captcha,
    Hmac,
}

impl Reader<'_> {
    /// Who may order a tenant. What is said about captchas and signatures has to be right even where there are none, but has
    /// to be complete only where there are.
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
        let secrets = self.read(HMAC_SECRETS, None, |text| match text {
            "" => Ok(None),
            secrets => secrets.parse().map(Some).map_err(|error: InvalidSecrets| error.to_string()),
        });
        let window = self.duration("provisioning.hmac.window", 10 * SECOND, 15 * MINUTE);
        match word {
            Word::Open => Access::Open,
            Word::Operator => Access::Operator,
            Word::Captcha => match (own.or(provider), secret) {
                (Some(endpoint), Some(secret)) => {
                    Access::Captcha(SiteverifySettings { endpoint, secret, expected_hostname, timeout })
                }
                _ => self.incomplete(
                    "captcha",
                    &[
                        (&[PROVIDER, ENDPOINT], "turnstile, hcaptcha or recaptcha"),
                        (
                            &[SECRET],
                            "TENANTRY_CAPTCHA_SECRET, or TENANTRY_CAPTCHA_SECRET_FILE for a file that holds it",
                        ),
                    ],
                ),
            },
            Word::Hmac => match secrets {
                Some(secrets) => Access::Hmac { secrets, window },
                None => self.incomplete(
                    "hmac",
                    &[(
                        &[HMAC_SECRETS],
                        "TENANTRY_HMAC_SECRETS (`openssl rand -hex 32` makes one), or TENANTRY_HMAC_SECRETS_FILE for a \
                         file that holds them",
                    )],
                ),
            },
        }
    }

    /// Notes what is missing; a stand-in for what cannot be said without.
    fn incomplete(&mut self, access: &str, needed: &[(&[&'static str], &str)]) -> Access {
        for (names, set) in needed {
            self.miss(access, names, set);
        }
        // One problem is enough for there to be no settings.
        Access::Operator
    }

    /// Notes that the first of these settings is missing, unless one of them says something.
    fn miss(&mut self, access: &str, names: &[&'static str], set: &str) {
        if names.iter().all(|name| self.says_nothing(name)) {
            let what = format!("with provisioning.access = {access} this is needed; set {set}");
            self.problems.push(Problem::new(names[0], what));
        }
    }

    /// Whether a text was left empty.
    pub(super) fn says_nothing(&self, name: &str) -> bool {
        matches!(self.layers.get(name), Some((Value::Text(text), _)) if text.is_empty())
    }
}

fn word(text: &str) -> Result<Word, String> {
    match text {
        "open" => Ok(Word::Open),
        "operator" => Ok(Word::Operator),
        "captcha" => Ok(Word::Captcha),
        "hmac" => Ok(Word::Hmac),
        _ => Err(format!("'{text}' is none of open, operator, captcha and hmac")),
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
