//! Every problem this adapter answers with, in one table: documented at `/problems/{code}` and in the OpenAPI document.

use actix_web::http::StatusCode;

/// What is fixed about a kind of problem.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Stable, snake_case; part of the contract.
    pub(crate) code: &'static str,
    /// HTTP status.
    pub(crate) status: StatusCode,
    /// `title`: always the same for a code.
    pub(crate) title: &'static str,
    /// Why it happens.
    pub(crate) cause: &'static str,
    /// What to do about it.
    pub(crate) fix: &'static str,
}

macro_rules! catalogue {
    ($($variant:ident = $code:literal, $status:ident, $title:literal, $cause:literal, $fix:literal;)*) => {
        /// A kind of problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code {
            $($variant,)*
        }

        impl Code {
            /// Every code, in the order of the catalogue.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// What is fixed about it.
            pub(crate) const fn entry(self) -> &'static Entry {
                match self {
                    $(Self::$variant => const { &Entry {
                        code: $code,
                        status: StatusCode::$status,
                        title: $title,
                        cause: $cause,
                        fix: $fix,
                    } },)*
                }
            }
        }
    };
}

catalogue! {
    BadRequest = "bad_request", BAD_REQUEST, "Bad Request",
        "The request is not well-formed HTTP for this server.",
        "Compare the request with the operation's description in the OpenAPI document.";
    MalformedJson = "malformed_json", BAD_REQUEST, "Malformed JSON",
        "The body is not a JSON document; the detail says at which line and column reading stopped.",
        "Send UTF-8 JSON (RFC 8259): one document, no trailing commas, no comments.";
    MalformedCsv = "malformed_csv", BAD_REQUEST, "Malformed CSV",
        "The body is no CSV in UTF-8; the detail says at which row reading stopped.",
        "Save the sheet as CSV in UTF-8, with commas or semicolons between the cells.";
    ValidationFailed = "validation_failed", BAD_REQUEST, "Validation Failed",
        "The body is JSON, but members are missing, unknown, of the wrong type or outside their limits.",
        "Mend every entry of `errors`: `pointer` says where, `message` what is expected. They are reported all at once.";
    MissingTenantContext = "missing_tenant_context", BAD_REQUEST, "Missing tenant context",
        "The URL does not say for which tenant the request is meant: there is no tenant in it where one has to be, what stands \
         there cannot be one, or (which the operator alone is told) there is none of this slug or id.",
        "Put the tenant's slug (its subdomain) or id into the URL, as in `…/acme/config/basis`, and check its spelling. Send \
         `Authorization: Bearer …` with a token of that very tenant.";
    InvalidPlan = "invalid_plan", BAD_REQUEST, "Invalid Plan",
        "The plan is none of those on offer.",
        "Use one of the plans that the detail names, spelled as there.";
    InvalidParameter = "invalid_parameter", BAD_REQUEST, "Invalid Parameter",
        "A query parameter is unknown, given twice or has a value outside its limits; or a part of the path has one.",
        "Mend every entry of `errors`; `pointer` names the query parameter or the part of the path.";
    InvalidCursor = "invalid_cursor", BAD_REQUEST, "Invalid Cursor",
        "The cursor is none that this list, with these filters, has given out.",
        "Pass `nextCursor` on unchanged, with the same filters, or begin again without a cursor.";
    InvalidIdempotencyKey = "invalid_idempotency_key", BAD_REQUEST, "Invalid Idempotency Key",
        "The idempotency key is empty, too long, not printable ASCII, given twice, or `Idempotency-Key` and `requestId` differ.",
        "Send one key of 1 to 255 printable ASCII characters, for example a UUID, in one of the two headers.";
    MissingAuthorization = "missing_authorization", UNAUTHORIZED, "Missing Authorization",
        "The operation needs a credential and none was sent.",
        "Send an API key or an access token as `Authorization: Bearer …`; API keys may also be sent as `X-API-Key`.";
    InvalidToken = "invalid_token", UNAUTHORIZED, "Invalid Token",
        "The credential is not one of ours, was revoked, or has expired.",
        "Use a live API key, sign in again for an access token, or begin provisioning anew for a confirmation token.";
    InvalidCredentials = "invalid_credentials", UNAUTHORIZED, "Invalid Credentials",
        "The e-mail address or the password is wrong, or nobody can sign in to that tenant. Which, is not told.",
        "Check both, and the tenant in the URL.";
    InvalidRefreshToken = "invalid_refresh_token", UNAUTHORIZED, "Invalid Refresh Token",
        "The cookie `refreshToken` is missing, was exchanged before, or its session is over. Which, is not told.",
        "Sign in again. Keep the cookie of the latest answer, and exchange each token once.";
    MissingSignature = "missing_signature", UNAUTHORIZED, "Missing Signature",
        "Here new tenants are ordered with signed requests, and this one lacks a signature, its timestamp or its nonce.",
        "Sign the request: send `X-Signature`, `X-Signature-Timestamp` and `X-Signature-Nonce` as the OpenAPI document \
         describes. The operator's key needs no signature.";
    InvalidSignature = "invalid_signature", UNAUTHORIZED, "Invalid Signature",
        "The signature is malformed, was made with another secret, or what was signed is not what arrived.",
        "Compare the text you signed line by line with the OpenAPI document: method, path with query as sent, timestamp, \
         nonce, and the SHA-256 of the very bytes of the body. A proxy must not change the path.";
    ClockSkew = "clock_skew", UNAUTHORIZED, "Clock Skew",
        "The request was signed too long ago, or in the server's future: one of the clocks is off, or it was under way too long.",
        "Set your clock (NTP) and sign anew when sending; `serverTime` says what time it is here.";
    NonceReused = "nonce_reused", UNAUTHORIZED, "Nonce Reused",
        "A request with this nonce was taken before: a signed request works once.",
        "Sign every request anew, with a new random nonce and the current time; also when repeating one.";
    WrongTenant = "wrong_tenant", FORBIDDEN, "Wrong Tenant",
        "The credential does not belong to the tenant that the request names.",
        "Use the slug or id of the tenant the credential was made for.";
    MissingScope = "missing_scope", FORBIDDEN, "Missing Scope",
        "The API key may not do this: it lacks the scope that the detail names.",
        "Use a key that has the scope; a tenant's admin or the operator can make one.";
    Forbidden = "forbidden", FORBIDDEN, "Forbidden",
        "The operation is for others: the platform operator or, for most, an admin of the tenant. The detail says which.",
        "Use an operator's key or, where the detail speaks of an admin, an admin's access token.";
    QuotaRaised = "quota_raised", FORBIDDEN, "Quota Raised",
        "Only the operator raises or lifts quotas; `errors` names the members that would be.",
        "Leave those members as they are, or ask the operator.";
    CrossSite = "cross_site", FORBIDDEN, "Cross-Site Request",
        "A page of another site has sent this request with its visitor's cookie.",
        "Send it from a page of the same site, or from a program that is no browser.";
    WrongPassword = "wrong_password", FORBIDDEN, "Wrong Password",
        "The current password is another one.",
        "Send the password that you sign in with.";
    CaptchaFailed = "captcha_failed", FORBIDDEN, "Captcha Failed",
        "Here a captcha guards new tenants, and `X-Captcha-Response` is missing or holds no token that the captcha's provider accepts.",
        "Solve the challenge and send the token that it gives as `X-Captcha-Response`. A token works once and for a few \
         minutes: get a new one for every attempt.";
    TenantSuspended = "tenant_suspended", FORBIDDEN, "Tenant Suspended",
        "The operator has suspended the tenant. Its data is kept.",
        "Ask the operator to resume it.";
    NotFound = "not_found", NOT_FOUND, "Not Found",
        "There is nothing at this URL.",
        "Compare path and prefix with the OpenAPI document at /openapi.json.";
    TenantNotFound = "tenant_not_found", NOT_FOUND, "Tenant Not Found",
        "No tenant has this id or slug.",
        "Check the id or slug. A slug is free again once its tenant has failed, expired or been deleted.";
    WebhookNotFound = "webhook_not_found", NOT_FOUND, "Webhook Not Found",
        "The tenant has no webhook endpoint of the id in the URL.",
        "Check the id; lists show which there are.";
    DeliveryNotFound = "delivery_not_found", NOT_FOUND, "Delivery Not Found",
        "The webhook endpoint has no delivery of the id in the URL, or it is kept no longer.",
        "Check the id; `…/deliveries` lists those there are.";
    ProvisioningNotFound = "provisioning_not_found", NOT_FOUND, "Provisioning Not Found",
        "No provisioning has this id.",
        "Use the `provisioningId` that init answered with.";
    ConfigNotFound = "config_not_found", NOT_FOUND, "Config Not Found",
        "The tenant has no account config of this id, or not that version of it.",
        "List the tenant's configs to see their ids and current versions.";
    AccountNotFound = "account_not_found", NOT_FOUND, "Account Not Found",
        "The tenant has no account of this id.",
        "List the tenant's accounts to see their ids.";
    MappingNotFound = "mapping_not_found", NOT_FOUND, "Mapping Not Found",
        "The account is not mapped to the user: it never was, or it was taken from them.",
        "List the account's users, with `history=true` also those it was taken from.";
    ApiKeyNotFound = "api_key_not_found", NOT_FOUND, "API Key Not Found",
        "The tenant has no API key of this id.",
        "List the tenant's keys to see their ids.";
    UserNotFound = "user_not_found", NOT_FOUND, "User Not Found",
        "The tenant has no user of this id.",
        "List the tenant's users to see their ids.";
    SessionNotFound = "session_not_found", NOT_FOUND, "Session Not Found",
        "The user has no session of this id.",
        "List the sessions to see their ids; what ended long ago is forgotten.";
    EventNotFound = "event_not_found", NOT_FOUND, "Event Not Found",
        "There is no event of this id.",
        "Use the `id` of one of the tenant's events; to begin anew, list its events without `after` and `cursor`.";
    EventsExpired = "events_expired", GONE, "Events Expired",
        "The event, or the place in the log to go on after, is older than what is kept: `firstSequence` is the first event there is.",
        "Note the time, read the state of what you follow anew (accounts, configs, users), and go on with what happened from that \
         time on (`startTime`). The events that there are come without `after` and `cursor`.";
    BasisNotFound = "basis_not_found", NOT_FOUND, "Basis Not Found",
        "The tenant has no basis configuration yet.",
        "Configure it with `POST …/config/basis`.";
    ProcessNotFound = "process_not_found", NOT_FOUND, "Process Not Found",
        "The tenant has no process of this id, or not any more.",
        "List the tenant's processes to see their ids. One that was removed can be restored, if its id is known.";
    OrgUnitNotFound = "org_unit_not_found", NOT_FOUND, "Org Unit Not Found",
        "The tenant's organisation has no unit of this kind and id.",
        "List the units of the kind to see their ids, or show the whole organisation (`…/org/hierarchy`).";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "Method Not Allowed",
        "The URL exists, but not for this method.",
        "Use one of the methods in the `Allow` header.";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT, "Request Timeout",
        "The request took too long to arrive.",
        "Send it again, faster.";
    AccountFinal = "account_final", CONFLICT, "Account Final",
        "The account is breached, expired or closed, as `accountStatus` says: for good.",
        "Nothing but its notes can be changed; provision another account.";
    OpenPositions = "open_positions", CONFLICT, "Open Positions",
        "The account that is to be closed has open positions; `openPositions` says how many.",
        "Have them closed by trades, or send the request with `force=true`, which closes them at their marks.";
    ApiKeyEnded = "api_key_ended", CONFLICT, "API Key Ended",
        "The API key was revoked or has expired, so it cannot be replaced.",
        "Make a new key.";
    RotationUnderWay = "rotation_under_way", CONFLICT, "Rotation Under Way",
        "The secret was replaced a short while ago, and calls are signed with the one before, too, until `previousSecretUntil`.",
        "Wait until then, end the old secret early (DELETE `…/previous-secret`), or replace it all the same with `force`.";
    WebhookDisabled = "webhook_disabled", CONFLICT, "Webhook Disabled",
        "Nothing is delivered to the webhook endpoint; `disabledReason` of it says why.",
        "Enable it again (PATCH with `enabled: true`), then ask once more.";
    IdempotencyInProgress = "idempotency_in_progress", CONFLICT, "Idempotency In Progress",
        "The first request of this idempotency key is still being worked on.",
        "Repeat the request after the seconds that `Retry-After` says, to get the first one's answer.";
    SlugTaken = "slug_taken", CONFLICT, "Slug Already Exists",
        "Another tenant holds the slug.",
        "Choose another slug.";
    AlreadyConfirmed = "already_confirmed", CONFLICT, "Already Confirmed",
        "The confirmation token was used before; it works once.",
        "Nothing is to be done: follow the provisioning at its status endpoint.";
    TenantNotReady = "tenant_not_ready", CONFLICT, "Tenant Not Ready",
        "The tenant is still being provisioned, or a worker is at its database for another reason; the detail says which status it has.",
        "Repeat the request after `Retry-After`, or wait until its status is Active.";
    TenantFailed = "tenant_failed", CONFLICT, "Tenant Failed",
        "The tenant's provisioning failed, so it is not in service.",
        "Have the operator read the tenant to see why, mend that, and have the provisioning tried again.";
    TenantDeprovisioning = "tenant_deprovisioning", CONFLICT, "Tenant Deprovisioning",
        "The tenant is being deprovisioned: its calls are not answered any more.",
        "If that is a mistake, ask the operator to restore it before its grace period is over.";
    InvalidState = "invalid_state", CONFLICT, "Invalid State",
        "The tenant's status does not allow this; `tenantStatus` says what it is and `allowed` what can be done with it.",
        "Do one of what is allowed, or wait until the status is another.";
    Conflict = "conflict", CONFLICT, "Conflict",
        "Somebody else changed the same thing at the same moment; of this request nothing was kept.",
        "Look at how it is now, and send the request again if it is still meant.";
    ConfigIdTaken = "config_id_taken", CONFLICT, "Config Id Taken",
        "Another document is stored under this config id, and the tenant's versioning strategy is `explicit`.",
        "Upload under a new id, for example `suggestedId`, or set the tenant's versioningStrategy to `internal`.";
    ProcessNameTaken = "process_name_taken", CONFLICT, "Process Already Exists",
        "Another process of the tenant has this `processType` and `name`.",
        "Choose another name, or change that process instead.";
    EmailTaken = "email_taken", CONFLICT, "Email Already Exists",
        "Another user of the tenant has this e-mail address, perhaps in upper or lower case.",
        "Use another address, or change the user who has it.";
    UsernameTaken = "username_taken", CONFLICT, "Username Already Exists",
        "Another user of the tenant has this username; without one, it is made from the e-mail address.",
        "Choose another `username`.";
    LastAdmin = "last_admin", CONFLICT, "Last Admin",
        "The tenant would be left without an admin who can sign in.",
        "Make somebody else an admin first.";
    OrgCodeTaken = "org_code_taken", CONFLICT, "Org Code Already Exists",
        "Another unit of the same kind has this code (of purchasing groups: another one of the same purchasing organisation). \
         Codes compare exactly.",
        "Choose another `code`, or change the unit that has it: lists find it with `q`.";
    OrgAssignmentExists = "org_assignment_exists", CONFLICT, "Org Assignment Already Exists",
        "The purchasing organisation is assigned to that company code or plant already.",
        "Nothing is to be done: one assignment is enough.";
    OrgUnitInUse = "org_unit_in_use", CONFLICT, "Org Unit In Use",
        "Other units belong to this one, or it is assigned to them; `dependents` says of which kinds, how many, and some codes.",
        "Delete or move those first.";
    PreconditionFailed = "precondition_failed", PRECONDITION_FAILED, "Precondition Failed",
        "The thing has changed since: its entity tag is none of those in `If-Match`.",
        "Read it again, see whether the change is still meant, and send it with the new `ETag`.";
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "Payload Too Large",
        "The body is larger than this server accepts.",
        "Send less at a time; the detail names the limit.";
    UriTooLong = "uri_too_long", URI_TOO_LONG, "URI Too Long",
        "The URL is longer than this server accepts.",
        "Shorten the path or the query.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type",
        "The body's content type is not JSON, or is not given.",
        "Send `Content-Type: application/json`.";
    InvalidConfig = "invalid_config", UNPROCESSABLE_ENTITY, "Invalid Config",
        "The account config breaks its schema or contradicts itself.",
        "Mend every entry of `errors`. `/configs/validate` tells the same and stores nothing.";
    UnknownConfig = "unknown_config", UNPROCESSABLE_ENTITY, "Unknown Config",
        "The tenant has no account config of the id given; where several were, `errors` names those that do not exist.",
        "Upload the config first, or use the id of one that exists.";
    UnknownVersion = "unknown_version", UNPROCESSABLE_ENTITY, "Unknown Version",
        "What is to be restored never had this version, or had been removed with it.",
        "Choose a version that the history shows, with something in `after`.";
    UnknownCluster = "unknown_cluster", UNPROCESSABLE_ENTITY, "Unknown Cluster",
        "There is no database server of the name given in `cluster`.",
        "Use a name from the settings, `tenant_databases.clusters`, or leave it out.";
    UnknownOrgUnit = "unknown_org_unit", UNPROCESSABLE_ENTITY, "Unknown Org Unit",
        "What the unit is to belong to, or to be assigned to, does not exist in this tenant; `errors` names the members.",
        "Create that first, or use the id of one that exists.";
    InvalidOrganisation = "invalid_organisation", UNPROCESSABLE_ENTITY, "Invalid Organisation",
        "The document names units that do not exist, or is wrong in other ways; of it nothing was taken.",
        "Mend every entry of `errors`: `pointer` says where (in a sheet: `/row/column`), `message` what is expected. With \
         `dryRun=true` a document is checked without being taken.";
    ConfigNotAllowed = "config_not_allowed", UNPROCESSABLE_ENTITY, "Config Not Allowed",
        "The config exists, but is not in the tenant's `allowedConfigs`.",
        "Use an allowed config, or have it added to the tenant's settings.";
    OtherCurrency = "other_currency", UNPROCESSABLE_ENTITY, "Other Currency",
        "The account is kept in another currency than that of the config it is to follow.",
        "Migrate it to a config of the same currency, or provision another account.";
    QuotaExceeded = "quota_exceeded", UNPROCESSABLE_ENTITY, "Quota Exceeded",
        "The tenant has as many of these as it may have: `quota` says of what, `limit` how many that is, `used` how many there are.",
        "Remove what is not needed any more, or ask the operator to raise the quota. `…/usage` shows all quotas.";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "Idempotency Key Reused",
        "The idempotency key was used before, for a different request.",
        "Use a new key for a new request. To repeat a request, send it exactly as before.";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS, "Too Many Requests",
        "More requests came than are taken in that time: for your tenant, with your credential, or from your address (of IPv6, \
         from its network of 64 bits). `violated-policies` says which.",
        "Wait for `Retry-After` seconds. `RateLimit` says on every answer how many more are taken, `RateLimit-Policy` how \
         many in which time.";
    TooManyAttempts = "too_many_attempts", TOO_MANY_REQUESTS, "Too Many Attempts",
        "Too many attempts with a wrong password came before this one, at this account, from your address, or everywhere together. The password was not looked at.",
        "Wait for `Retry-After` seconds. A device that has signed in before, and kept the cookie `device`, is not slowed by others.";
    TooManyStreams = "too_many_streams", TOO_MANY_REQUESTS, "Too Many Streams",
        "As many streams of the tenant's events are open as one server serves at a time.",
        "Close one, or have one program follow the events and pass them on. Listing the events by cursor has no such limit.";
    InternalError = "internal_error", INTERNAL_SERVER_ERROR, "Internal Server Error",
        "Something went wrong in the server that should not have.",
        "Try again; if it persists, tell the operator the `requestId`, under which the log has the details.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "Service Unavailable",
        "A database cannot be reached or is too busy.",
        "Repeat the request after `Retry-After`, with its idempotency key if it has one.";
    Overloaded = "overloaded", SERVICE_UNAVAILABLE, "Overloaded",
        "More requests arrived than can be worked on; this one was not begun.",
        "Repeat the request after `Retry-After`.";
    CaptchaUnavailable = "captcha_unavailable", SERVICE_UNAVAILABLE, "Captcha Unavailable",
        "The captcha's provider could not be asked, or gave no answer to rely on. Nothing was begun.",
        "Repeat the request after `Retry-After`, with a new captcha token: the old one may be used up. If it persists, \
         tell the operator.";
    ProvisioningFailed = "provisioning_failed", SERVICE_UNAVAILABLE, "Provisioning Failed",
        "The tenant could not be provisioned; what had been made was undone.",
        "Try again later; `statusEndpoint` shows every step.";
    ProvisioningUnfinished = "provisioning_unfinished", SERVICE_UNAVAILABLE, "Provisioning Unfinished",
        "The tenant is still being provisioned: it took longer than a request may wait.",
        "Do not send the request again: follow `statusEndpoint` until the status is Active.";
    NotReady = "not_ready", SERVICE_UNAVAILABLE, "Not Ready",
        "The server is starting, stopping, or misses something it needs.",
        "Send traffic elsewhere until it is ready; `checks` says what is missing.";
}

impl Entry {
    /// `type`: the section of the RFC that defines the status, linked as the source documents do.
    pub(crate) fn link(&self) -> &'static str {
        match self.status.as_u16() {
            400 => "https://tools.ietf.org/html/rfc7231#section-6.5.1",
            401 => "https://tools.ietf.org/html/rfc7235#section-3.1",
            403 => "https://tools.ietf.org/html/rfc7231#section-6.5.3",
            404 => "https://tools.ietf.org/html/rfc7231#section-6.5.4",
            405 => "https://tools.ietf.org/html/rfc7231#section-6.5.5",
            408 => "https://tools.ietf.org/html/rfc7231#section-6.5.7",
            409 => "https://tools.ietf.org/html/rfc7231#section-6.5.8",
            410 => "https://tools.ietf.org/html/rfc7231#section-6.5.9",
            412 => "https://tools.ietf.org/html/rfc7232#section-4.2",
            413 => "https://tools.ietf.org/html/rfc7231#section-6.5.11",
            414 => "https://tools.ietf.org/html/rfc7231#section-6.5.12",
            415 => "https://tools.ietf.org/html/rfc7231#section-6.5.13",
            422 => "https://tools.ietf.org/html/rfc4918#section-11.2",
            429 => "https://iana.org/assignments/http-problem-types#quota-exceeded",
            500 => "https://tools.ietf.org/html/rfc7231#section-6.6.1",
            503 => "https://tools.ietf.org/html/rfc7231#section-6.6.4",
            _ => "about:blank",
        }
    }
}

impl Code {
    /// The code with this name.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.entry().code == text)
    }

    /// The code for an error that came about outside of our handlers, where only its status is known.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::InvalidToken,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 => Self::RequestTimeout,
            412 => Self::PreconditionFailed,
            413 => Self::PayloadTooLarge,
            414 => Self::UriTooLong,
            415 => Self::UnsupportedMediaType,
            429 => Self::RateLimited,
            503 => Self::Unavailable,
            400..=499 => Self::BadRequest,
            _ => Self::InternalError,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_snake_case_and_unique() {
        let codes: BTreeSet<_> = Code::ALL.iter().map(|code| code.entry().code).collect();
        assert_eq!(codes.len(), Code::ALL.len());
        for code in Code::ALL {
            let text = code.entry().code;
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{text}");
            assert_eq!(Code::parse(text), Some(*code));
        }
        assert_eq!(Code::parse("no_such_code"), None);
    }

    #[test]
    fn every_code_says_why_and_what_to_do() {
        for code in Code::ALL {
            let Entry { title, cause, fix, status, .. } = code.entry();
            assert!(!title.is_empty() && cause.ends_with('.') && fix.ends_with('.'), "{code:?}");
            assert!(status.is_client_error() || status.is_server_error(), "{code:?}");
            assert_ne!(code.entry().link(), "about:blank", "{code:?}");
        }
    }

    #[test]
    fn a_code_chosen_by_status_keeps_the_kind_of_status() {
        for status in (400..600).filter_map(|status| StatusCode::from_u16(status).ok()) {
            let chosen = Code::of_status(status).entry().status;
            assert_eq!(chosen.is_client_error(), status.is_client_error(), "{status}");
        }
    }
}
