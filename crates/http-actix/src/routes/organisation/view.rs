use std::borrow::Cow;

use actix_web::http::StatusCode;
use actix_web::http::header;
use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Value, json};
use tenantry_domain::id::TenantId;
use tenantry_domain::organisation::{OrgId, OrgUnit};
use tenantry_domain::timestamp;

use super::units::{Unit, wire};
use crate::call::Answer;
use crate::problem::{Internal, Problem};
use crate::routes::respond;

/// A unit of a tenant's organisation, as answers have it: what is set about it, and what else is known.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UnitView<B> {
    id: OrgId,
    tenant_id: TenantId,
    #[serde(flatten)]
    content: B,
    #[serde(with = "timestamp")]
    created_at: DateTime<Utc>,
    #[serde(with = "timestamp")]
    updated_at: DateTime<Utc>,
    version: i64,
}

impl<B: Unit> UnitView<B> {
    pub(super) fn of(unit: OrgUnit, tenant_id: TenantId) -> Result<Self, Problem> {
        let OrgUnit { id, content, version, created_at, updated_at } = unit;
        let content =
            B::of(content).ok_or_else(|| Problem::from(Internal).because("a unit of another kind"))?;
        Ok(Self { id, tenant_id, content, created_at, updated_at, version })
    }

    /// One, for the documentation.
    pub(crate) fn example() -> Value {
        let mut example = B::example();
        example["id"] = json!(wire(B::KIND).example);
        example["tenantId"] = json!("ten_3fa85f6457174562b3fc2c963f66afa6");
        example["createdAt"] = json!("2025-01-01T00:00:00.000Z");
        example["updatedAt"] = json!("2025-01-01T00:00:00.000Z");
        example["version"] = json!(1);
        example
    }
}

/// The schema of what is set, and the other members.
impl<B: Unit> JsonSchema for UnitView<B> {
    fn schema_name() -> Cow<'static, str> {
        wire(B::KIND).name.into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = B::json_schema(generator);
        let others = [
            ("id", id_schema(B::KIND.prefix())),
            ("tenantId", generator.subschema_for::<TenantId>()),
            ("createdAt", timestamp::schema(generator)),
            ("updatedAt", timestamp::schema(generator)),
            (
                "version",
                json_schema!({
                    "type": "integer", "format": "int64", "description": "Counts its changes; also the `ETag`."
                }),
            ),
        ];
        for (name, member) in others {
            if let Some(Value::Object(members)) = schema.get_mut("properties") {
                members.insert(name.to_owned(), member.to_value());
            }
            if let Some(Value::Array(required)) = schema.get_mut("required") {
                required.push(name.into());
            }
        }
        let noun = B::KIND.noun();
        schema.insert(
            "description".to_owned(),
            format!("{} {noun}, as it is stored.", article(B::KIND)).into(),
        );
        schema.remove("additionalProperties");
        schema
    }
}

fn id_schema(prefix: &str) -> Schema {
    json_schema!({ "type": "string", "pattern": format!("^{prefix}_[0-9a-f]{{32}}$"), "maxLength": 64 })
}

/// The article of a kind, at the beginning of a sentence.
fn article(kind: tenantry_domain::organisation::OrgKind) -> &'static str {
    if wire(kind).article == "an" { "An" } else { "A" }
}

/// The unit, with its version for `If-Match`.
pub(super) fn answer<B: Unit>(
    mut response: actix_web::HttpResponseBuilder,
    unit: OrgUnit,
    tenant: TenantId,
) -> Answer {
    response.insert_header((header::ETAG, respond::etag(unit.version)));
    respond::json(response, &UnitView::<B>::of(unit, tenant)?)
}

/// What is found, as somebody else's cache must not keep it.
pub(super) fn found<B: Unit>(unit: OrgUnit, tenant: TenantId) -> Answer {
    answer::<B>(respond::private(StatusCode::OK), unit, tenant)
}
