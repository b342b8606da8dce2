//! What it takes to order a tenant, by how the doors are kept.

use std::iter;

use actix_web::http::header::HeaderName;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ObjectBuilder, Required, Type};

use crate::Access;
use crate::doors::signed::{NONCE, TIMESTAMP};
use crate::problem::Code;

/// The name of the security scheme of signed requests.
const SIGNATURE: &str = "signature";

/// The operator's key, either way.
pub(super) fn operator() -> [SecurityRequirement; 2] {
    ["bearer", "apiKey"].map(|name| SecurityRequirement::new(name, ["operator"]))
}

/// Who may.
pub(super) fn security(access: Access) -> Vec<SecurityRequirement> {
    let instead = |requirement| iter::once(requirement).chain(operator()).collect();
    match access {
        Access::Open => Vec::new(),
        Access::Operator => operator().into(),
        // No credential at all, or the operator's.
        Access::Captcha => instead(SecurityRequirement::default()),
        Access::Hmac { .. } => instead(SecurityRequirement::new::<_, [&str; 0], _>(SIGNATURE, [])),
    }
}

/// What is sent in headers besides. None of it is required of the operator, so it cannot be of everybody.
pub(super) fn parameters(access: Access) -> Vec<Parameter> {
    match access {
        Access::Open | Access::Operator => Vec::new(),
        Access::Captcha => vec![header(
            "X-Captcha-Response",
            "The token that the captcha's widget gave the visitor; works once. Needed without an operator's key.",
            ObjectBuilder::new(),
        )],
        Access::Hmac { .. } => vec![
            header(
                &spelled(&TIMESTAMP),
                "When the request was signed: Unix time in whole seconds. Needed with `X-Signature`.",
                ObjectBuilder::new().pattern(Some("^(0|[1-9][0-9]{0,11})$")),
            ),
            header(
                &spelled(&NONCE),
                "Random, new for every request: 16 to 128 printable ASCII characters without spaces. Needed with \
                 `X-Signature`.",
                ObjectBuilder::new().min_length(Some(16)).max_length(Some(128)),
            ),
        ],
    }
}

fn header(name: &str, about: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(about))
        .schema(Some(schema.schema_type(Type::String)))
        .build()
}

/// As people write it: `X-Signature-Nonce`.
fn spelled(name: &HeaderName) -> String {
    let word = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.as_str().split('-').map(word).collect::<Vec<_>>().join("-")
}

/// What can go wrong.
pub(super) fn problems(access: Access) -> Vec<Code> {
    match access {
        Access::Open => Vec::new(),
        Access::Operator => vec![Code::MissingAuthorization, Code::InvalidToken, Code::Forbidden],
        Access::Captcha => vec![Code::InvalidToken, Code::CaptchaFailed, Code::CaptchaUnavailable],
        Access::Hmac { .. } => vec![
            Code::InvalidToken,
            Code::MissingSignature,
            Code::InvalidSignature,
            Code::ClockSkew,
            Code::NonceReused,
        ],
    }
}

/// The security scheme that only these doors have.
pub(super) fn scheme(access: Access) -> Option<(&'static str, SecurityScheme)> {
    let Access::Hmac { window } = access else {
        return None;
    };
    let about = format!(
        "A signed request: `v1=` and 64 hexadecimal digits, the HMAC-SHA256 of the following text with the shared \
         secret as the key (the secret's characters as they stand, not decoded). The text has six lines, with a line feed \
         (U+000A) between them and none at the end:\n\n\
         1. `v1`\n\
         2. the method, `POST`\n\
         3. path and query exactly as in the request line, for example `/provision/tenants/init`\n\
         4. the value of `X-Signature-Timestamp`: Unix time in whole seconds, decimal, without leading zeros\n\
         5. the value of `X-Signature-Nonce`\n\
         6. the SHA-256 of the body's bytes as they are sent, in 64 lower-case hexadecimal digits\n\n\
         The timestamp may be {} seconds off the server's clock, either way. A nonce works once; one whose request was \
         refused for its body (400) is not used up. A request that is repeated has to be signed anew. Where the secret is \
         being changed, the old one and the new one are both accepted.",
        window.as_secs()
    );
    let scheme = ApiKey::Header(ApiKeyValue::with_description("X-Signature", about.as_str()));
    Some((SIGNATURE, SecurityScheme::ApiKey(scheme)))
}
