//! What the document says of rate limits.

use utoipa::openapi::RefOr;
use utoipa::openapi::path::Operation;

use super::document::text_header;
use crate::RateLimit;
use crate::limits::{self, Policy};

/// Says on every response of an operation how its callers stand, and in its description how much is taken.
pub(super) fn tell(operation: &mut Operation, policy: Policy, limit: RateLimit) {
    let taken = format!(
        "From one client address at most {} requests at once and {} a minute are taken (policy `{}`); what is more is \
         answered with 429.",
        limit.burst,
        limit.per_minute,
        policy.name()
    );
    let about = operation.description.take().unwrap_or_default();
    operation.description = Some(format!("{about}\n\n{taken}").trim_start().to_owned());
    let fields = [
        (
            "RateLimit-Policy",
            format!("At most `q` requests within `w` seconds: `{}`", limits::policy_field(policy, limit)),
        ),
        (
            "RateLimit",
            format!(
                "How you stand: `\"{}\";r=5;t=7` says that 5 more requests are taken now, and that in 7 seconds all are \
                 again; with `r=0` on a 429, that one is. Not sent to callers on the server's own machine, who are not \
                 limited",
                policy.name()
            ),
        ),
    ];
    add(operation, &fields);
}

/// The same of what is counted by tenant and caller, whose limits are another for each.
pub(super) fn tell_callers(operation: &mut Operation) {
    let fields = [
        (
            "RateLimit-Policy",
            "At most `q` requests within `w` seconds, for the tenant and for this caller: \
             `\"tenant\";q=3000;w=6, \"caller\";q=1500;w=6`. Not sent where there is no limit, nor to the operator, nor \
             with a 401"
                .to_owned(),
        ),
        (
            "RateLimit",
            "How they stand with this server: `\"tenant\";r=5;t=7, \"caller\";r=2;t=7` says that 5 more requests for the \
             tenant and 2 more of this caller are taken now, and that in 7 seconds all are again; with `r=0` on a 429, \
             that one is"
                .to_owned(),
        ),
    ];
    add(operation, &fields);
}

/// Where there is a field of the name already, both count.
fn add(operation: &mut Operation, fields: &[(&str, String)]) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            for (name, about) in fields {
                let about = match response.headers.remove(*name) {
                    Some(RefOr::T(known)) => format!("{}. {about}", known.description.unwrap_or_default()),
                    _ => about.clone(),
                };
                response.headers.insert((*name).to_owned(), RefOr::T(text_header(&about)));
            }
        }
    }
}
