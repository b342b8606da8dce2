//! A whole organisation, out and in.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Bytes;
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::organisation::{OrgKind, Tally, UnitDraft};
use tenantry_usecases::Platform;
use tenantry_usecases::access::Need;
use tenantry_usecases::organisation::{self, Import, ImportError};

use super::document::DocumentBody;
use super::sheet;
use crate::body;
use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::routes::respond;

/// The largest document, in bytes, unless every body may be larger.
const LARGEST: usize = 4 << 20;

const CSV: HeaderValue = HeaderValue::from_static("text/csv; charset=utf-8");

/// In which form a document comes or goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
}

/// What an import makes of an organisation.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "OrgImported")]
pub(crate) struct ImportedView {
    /// Whether this is only what would become of it.
    dry_run: bool,
    /// Every kind.
    kinds: Vec<KindView>,
    /// All kinds together.
    total: TallyView,
}

/// What an import makes of a kind.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OrgImportedKind")]
struct KindView {
    kind: OrgKind,
    #[serde(flatten)]
    tally: TallyView,
}

/// How many units the document makes, changes, and finds as it says.
#[derive(Serialize, JsonSchema, Default)]
#[schemars(rename = "OrgImportTally")]
struct TallyView {
    created: usize,
    updated: usize,
    unchanged: usize,
}

impl TallyView {
    fn of(Tally { created, updated, unchanged }: Tally) -> Self {
        Self { created, updated, unchanged }
    }
}

/// Export the whole organisation
///
/// As one document that can be imported elsewhere: units name each other by code. As CSV with `format=csv`, or if `Accept` says so.
#[utoipa::path(
    get,
    path = "/{tenantId}/org/export",
    operation_id = "exportOrganisation",
    tag = "organisation",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("format" = Option<String>, Query, description = "`json` or `csv`; if absent, as `Accept` says", max_length = 4),
    ),
    responses((
        status = 200,
        description = "The organisation",
        content(
            (DocumentBody = "application/json", example = json!({ "units": [
                { "kind": "company_code", "code": "CC1", "name": "Company 1" },
                { "kind": "plant", "code": "P1", "name": "Plant 1", "companyCode": "CC1" },
                { "kind": "purchasing_org", "code": "PO1", "name": "Procurement Org 1" },
                { "kind": "porg_assignment", "plant": "P1", "purchasingOrg": "PO1" }
            ] })),
            (String = "text/csv", example = json!("kind,code,name,description,companyCode,plant,purchasingOrg\r\nplant,P1,Plant 1,,CC1,,\r\n")),
        )
    ))
)]
pub(crate) async fn export(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Staff).await?;
    let mut query = call.query();
    let form = match query.text("format").as_deref() {
        Some("json") => Form::Json,
        Some("csv") => Form::Csv,
        Some(_) => {
            query.fault("format", "invalid_value", "The format has to be json or csv".to_owned());
            Form::Json
        }
        None => accepted(&call),
    };
    query.finish()?;
    let written = call.on_storage::<_, Problem>(move |platform| {
        let document = DocumentBody::of(&organisation::whole(platform, &scope)?);
        match form {
            Form::Json => serde_json::to_vec(&document).map_err(|error| internal(&error)),
            Form::Csv => sheet::write(document),
        }
    });
    let written = written.await?;
    let mut response = respond::private(StatusCode::OK);
    response.insert_header((header::VARY, HeaderValue::from_static("Accept")));
    Ok(match form {
        Form::Json => respond::json_bytes(response, written),
        Form::Csv => response
            .insert_header((header::CONTENT_TYPE, CSV))
            .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"organisation.csv\""))
            .body(written),
    })
}

fn internal(error: &serde_json::Error) -> Problem {
    Problem::from(crate::problem::Internal).because(error)
}

/// CSV is for whoever asks for it and not for JSON.
fn accepted(call: &Call) -> Form {
    let accept = call.headers().get_all(header::ACCEPT).filter_map(|value| value.to_str().ok());
    let accept: Vec<_> = accept.collect();
    let accepts =
        |media_type: &str| accept.iter().any(|value| value.to_ascii_lowercase().contains(media_type));
    if accepts("text/csv") && !accepts("application/json") { Form::Csv } else { Form::Json }
}

/// Import an organisation
///
/// All of the document or nothing: units that are not there are created, those with the same code (assignments: the same ends) become
/// what it says, and those it does not mention stay. With `dryRun=true` the answer says what would become of it, and nothing happens.
/// CSV (`text/csv`) has the same columns as the members of `units`; pointers of findings then are `/row/column`, and rows count from
/// 1, the row with the names. At most 10,000 units and 4 MiB.
#[utoipa::path(
    post,
    path = "/{tenantId}/org/import",
    operation_id = "importOrganisation",
    tag = "organisation",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("dryRun" = Option<bool>, Query, description = "Whether only to say what would become of it"),
    ),
    request_body(content(
        (DocumentBody = "application/json", example = json!({ "units": [
            { "kind": "company_code", "code": "CC1", "name": "Company 1" },
            { "kind": "plant", "code": "P1", "name": "Plant 1", "companyCode": "CC1" }
        ] })),
        (String = "text/csv", example = json!("kind,code,name,companyCode\r\nplant,P1,Plant 1,CC1\r\n")),
    )),
    responses((status = 200, description = "What became of it", body = ImportedView, example = json!({
        "dryRun": false,
        "kinds": [
            { "kind": "company_code", "created": 0, "updated": 0, "unchanged": 1 },
            { "kind": "plant", "created": 1, "updated": 0, "unchanged": 0 },
            { "kind": "storage_location", "created": 0, "updated": 0, "unchanged": 0 },
            { "kind": "purchasing_org", "created": 0, "updated": 0, "unchanged": 0 },
            { "kind": "purchasing_group", "created": 0, "updated": 0, "unchanged": 0 },
            { "kind": "porg_assignment", "created": 0, "updated": 0, "unchanged": 0 }
        ],
        "total": { "created": 1, "updated": 0, "unchanged": 1 }
    })))
)]
pub(crate) async fn import(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let mut query = call.query();
    let dry_run = query.value::<bool>("dryRun").unwrap_or_default();
    query.finish()?;
    let form = sent(&call)?;
    let bytes = call.any_bytes_up_to(LARGEST).await?;
    let (actor, trace) = (caller.actor(), call.request_id());
    let imported = call.on_storage::<_, Problem>(move |platform| {
        let drafts = drafts(platform, form, bytes)?;
        let outcome = organisation::import(platform, &scope, Import { drafts, dry_run, actor, trace });
        outcome.map_err(|error| match (error, form) {
            (ImportError::Invalid(findings), Form::Csv) => sheet::refused(findings),
            (ImportError::Invalid(findings), Form::Json) => Problem::invalid_organisation(findings),
            (ImportError::Store(error), _) => error.into(),
        })
    });
    let tallies = imported.await?;
    let mut total = TallyView::default();
    let kinds = OrgKind::ALL.map(|kind| {
        let tally = TallyView::of(tallies.get(&kind).copied().unwrap_or_default());
        total.created += tally.created;
        total.updated += tally.updated;
        total.unchanged += tally.unchanged;
        KindView { kind, tally }
    });
    respond::json(respond::private(StatusCode::OK), &ImportedView { dry_run, kinds: kinds.into(), total })
}

/// In which form the body is, as its sender says.
fn sent(call: &Call) -> Result<Form, Problem> {
    let given = call.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = given.and_then(|value| value.split(';').next()).map(str::trim).unwrap_or_default();
    if essence.eq_ignore_ascii_case("text/csv") {
        return Ok(Form::Csv);
    }
    let json = body::content_type(call.request()).map(|_| Form::Json);
    json.map_err(|_| {
        let detail = format!("The Content-Type is {essence:?}; it has to be application/json or text/csv");
        Problem::new(Code::UnsupportedMediaType, detail)
    })
}

fn drafts(platform: &Platform, form: Form, bytes: Bytes) -> Result<Vec<UnitDraft>, Problem> {
    match form {
        Form::Csv => sheet::read(&bytes),
        Form::Json => Ok(body::parse::<DocumentBody>(bytes, platform.schemas.as_ref())?.value.drafts()),
    }
}

documented!(DocumentBody, ImportedView);
