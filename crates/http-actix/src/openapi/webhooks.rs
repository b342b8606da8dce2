//! The `webhooks` section: every type of events, in the envelope in which it is sent.

use schemars::JsonSchema as _;
use serde_json::{Map, Value, json};
use tenantry_domain::event::{Event, RULE_ENGINE_VERSION, SCHEMA_VERSION};
use tenantry_usecases::events::{Described, catalogue};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, ParameterBuilder, ParameterIn, Paths, PathsBuilder,
};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, PathItem, Required, ResponseBuilder, Type};

use super::schema;

/// What every call carries (Standard Webhooks).
const HEADERS: [(&str, &str); 3] = [
    ("webhook-id", "The event's id. A call that is repeated carries the same one: handle each once"),
    (
        "webhook-timestamp",
        "When the call was made, in seconds since 1970. Refuse what is older than five minutes",
    ),
    (
        "webhook-signature",
        "`v1,` and the signature in base64, of each secret that is in force, separated by spaces",
    ),
];

/// A call for each type, by its name.
pub(super) fn webhooks() -> Paths {
    let call = |paths: PathsBuilder, described: &Described| {
        paths.path(described.event_type.as_str(), PathItem::new(HttpMethod::Post, operation(described)))
    };
    catalogue().iter().fold(PathsBuilder::new(), call).build()
}

fn operation(described: &Described) -> Operation {
    let content = ContentBuilder::new()
        .schema(Some(schema::convert(envelope(described))))
        .example(Some(example(described)))
        .build();
    let header = |(name, about): (&str, &str)| {
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(about))
            .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
            .build()
    };
    HEADERS
        .into_iter()
        .fold(OperationBuilder::new(), |operation, told| operation.parameter(header(told)))
        .summary(Some(described.about))
        .tag("events")
        .request_body(Some(
            RequestBodyBuilder::new()
                .description(Some("The event, as the list of events has it, and its `type` once more"))
                .content("application/json", content)
                .required(Some(Required::True))
                .build(),
        ))
        .response(
            "2XX",
            ResponseBuilder::new()
                .description("It was taken. Any other answer, or none in time, has it sent again"),
        )
        .build()
}

/// The schema of a call about an event of this type, all of it in one place.
pub(crate) fn envelope(described: &Described) -> Value {
    let mut generator = schema::inlining();
    let mut envelope = Event::json_schema(&mut generator).to_value();
    let data = (described.schema)(&mut generator).to_value();
    if let Some(members) = envelope["properties"].as_object_mut() {
        let about = members["eventType"]["description"].take();
        let only = json!({ "type": "string", "enum": [described.event_type], "description": about });
        members.insert("type".to_owned(), only.clone());
        members.insert("eventType".to_owned(), only);
        members.insert("data".to_owned(), data);
    }
    if let Some(required) = envelope["required"].as_array_mut() {
        required.push(json!("type"));
    }
    schema::adapted(envelope)
}

/// A call about an event of this type.
pub(crate) fn example(described: &Described) -> Value {
    let mut event = json!({
        "type": described.event_type,
        "id": "evt_0195c0de00007000800000000000000a",
        "eventType": described.event_type,
        "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
        "timestamp": "2025-01-10T15:00:00.123Z",
        "meta": {
            "sequence": 17,
            "ruleEngineVersion": RULE_ENGINE_VERSION,
            "schemaVersion": SCHEMA_VERSION,
            "traceId": "0195c0de000070008000000000000001",
        },
        "data": described.example,
    });
    let family = described.event_type.as_str().split('.').next().unwrap_or_default();
    if ["account", "rule", "challenge", "payout"].contains(&family)
        && let Some(members) = event.as_object_mut()
    {
        members.extend(Map::from_iter([(
            "accountId".to_owned(),
            Value::from("acc_0195c0de00007000800000000000000b"),
        )]));
    }
    event
}
