//! What the document says of the units of an organisation: the same of every kind.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde_json::{Value, json};
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Required, ResponseBuilder, Schema, Type};

use super::document::text_header;
use super::{definitions_of, schema_of};
use crate::query::MAX_LIMIT;
use crate::routes::organisation::{LONGEST_TEXT, Unit, UnitView, filters, wire};
use crate::routes::respond::Page;

/// The description of an operation on units of a kind.
pub(crate) struct Doc<B, O>(PhantomData<(B, O)>);

/// An operation.
pub(crate) trait Describe {
    /// Whether it is about one unit.
    const ONE: bool;

    fn method() -> HttpMethod;

    fn operation<B: Unit>() -> OperationBuilder;
}

impl<B: Unit, O: Describe> utoipa::Path for Doc<B, O> {
    fn methods() -> Vec<HttpMethod> {
        vec![O::method()]
    }

    fn path() -> String {
        let wire = wire(B::KIND);
        let all = format!("/{{tenantId}}/org/{}", wire.segment);
        if O::ONE { format!("{all}/{{{}}}", wire.id) } else { all }
    }

    fn operation() -> Operation {
        let mut operation = O::operation::<B>().build();
        let mut path = vec![in_path("tenantId", "The tenant's slug or id".to_owned())];
        if O::ONE {
            path.push(in_path(wire(B::KIND).id, format!("The {}'s id", B::KIND.noun())));
        }
        let others = operation.parameters.take().unwrap_or_default();
        operation.parameters = Some(path.into_iter().map(RefOr::T).chain(others).collect());
        operation
    }
}

impl<B: Unit, O> Tags<'static> for Doc<B, O> {
    fn tags() -> Vec<&'static str> {
        vec!["organisation"]
    }
}

impl<B: Unit, O> SchemaReferences for Doc<B, O> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        fn add<T: JsonSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
            schemas.push((T::schema_name().into_owned(), schema_of::<T>()));
            definitions_of::<T>(schemas);
        }
        add::<B>(schemas);
        add::<UnitView<B>>(schemas);
        add::<Page<UnitView<B>>>(schemas);
    }
}

/// Creates one.
pub(crate) enum Create {}

impl Describe for Create {
    const ONE: bool = false;

    fn method() -> HttpMethod {
        HttpMethod::Post
    }

    fn operation<B: Unit>() -> OperationBuilder {
        let about = "Send an `Idempotency-Key` (or `requestId`): a repeated request then gets the first answer, with \
                     `Idempotent-Replayed: true`, and nothing twice.";
        let created = answer::<UnitView<B>>("Created", UnitView::<B>::example())
            .header("ETag", text_header("Its version"))
            .header("Location", text_header("Where it is"))
            .header("Idempotent-Replayed", text_header("`true` on a repeated answer, else absent"));
        begin::<B>("create", "Create", about)
            .parameter(in_header("Idempotency-Key", "1 to 255 printable ASCII characters"))
            .parameter(in_header("requestId", "Another name for `Idempotency-Key`"))
            .request_body(Some(body::<B>()))
            .response("201", created.build())
    }
}

/// Lists them.
pub(crate) enum List {}

impl Describe for List {
    const ONE: bool = false;

    fn method() -> HttpMethod {
        HttpMethod::Get
    }

    fn operation<B: Unit>() -> OperationBuilder {
        let (kind, noun) = (B::KIND, B::KIND.noun());
        let id = format!("list{}s", wire(kind).name);
        let mut operation = OperationBuilder::new()
            .operation_id(Some(id))
            .summary(Some(format!("List {noun}s")))
            .description(Some("Newest first."));
        for of in filters(kind) {
            let about = format!("Only those of this {}", of.noun());
            operation = operation.parameter(in_query(wire(of).id, about, text(64)));
        }
        if kind.parent().is_none() || filters(kind).count() == 1 {
            let about = "Only those whose code or name contains this, in upper or lower case".to_owned();
            operation = operation.parameter(in_query("q", about, text(LONGEST_TEXT)));
        }
        let limit =
            ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_LIMIT)).format(
                Some(utoipa::openapi::SchemaFormat::KnownFormat(utoipa::openapi::KnownFormat::Int32)),
            );
        let page = json!({ "items": [UnitView::<B>::example()], "nextCursor": null });
        operation
            .parameter(in_query("limit", "How many, 50 if absent".to_owned(), limit))
            .parameter(in_query("cursor", "`nextCursor` of the page before".to_owned(), text(512)))
            .response("200", answer::<Page<UnitView<B>>>("A page of them", page).build())
    }
}

/// Reads one.
pub(crate) enum Read {}

impl Describe for Read {
    const ONE: bool = true;

    fn method() -> HttpMethod {
        HttpMethod::Get
    }

    fn operation<B: Unit>() -> OperationBuilder {
        begin::<B>("get", "Read", "")
            .parameter(in_header("If-None-Match", "The `ETag` of it as it is known"))
            .response("200", one::<B>("As it is").build())
            .response("304", ResponseBuilder::new().description("It is what `If-None-Match` says").build())
    }
}

/// Replaces one.
pub(crate) enum Replace {}

impl Describe for Replace {
    const ONE: bool = true;

    fn method() -> HttpMethod {
        HttpMethod::Put
    }

    fn operation<B: Unit>() -> OperationBuilder {
        let about = "Everything that is set about it, also what it belongs to; what is left out is removed. Send the `ETag` of \
                     what you have seen as `If-Match` to change that and nothing newer.";
        begin::<B>("replace", "Replace", about)
            .parameter(in_header("If-Match", "The `ETag` that it has to have"))
            .request_body(Some(body::<B>()))
            .response("200", one::<B>("As it is now").build())
    }
}

/// Deletes one.
pub(crate) enum Remove {}

impl Describe for Remove {
    const ONE: bool = true;

    fn method() -> HttpMethod {
        HttpMethod::Delete
    }

    fn operation<B: Unit>() -> OperationBuilder {
        let about = "Only where nothing hangs on it; otherwise `dependents` says what does.";
        begin::<B>("delete", "Delete", about)
            .parameter(in_header("If-Match", "The `ETag` that it has to have"))
            .response("204", ResponseBuilder::new().description("It is gone").build())
    }
}

fn begin<B: Unit>(verb: &str, summary: &str, about: &str) -> OperationBuilder {
    let wire = wire(B::KIND);
    OperationBuilder::new()
        .operation_id(Some(format!("{verb}{}", wire.name)))
        .summary(Some(format!("{summary} {} {}", wire.article, B::KIND.noun())))
        .description((!about.is_empty()).then_some(about))
}

fn body<B: Unit>() -> RequestBody {
    let content = ContentBuilder::new().schema(Some(reference::<B>())).example(Some(B::example()));
    RequestBodyBuilder::new()
        .content("application/json", content.build())
        .required(Some(Required::True))
        .build()
}

fn one<B: Unit>(about: &str) -> ResponseBuilder {
    answer::<UnitView<B>>(about, UnitView::<B>::example()).header("ETag", text_header("Its version"))
}

fn answer<T: JsonSchema>(about: &str, example: Value) -> ResponseBuilder {
    let content = ContentBuilder::new().schema(Some(reference::<T>())).example(Some(example));
    ResponseBuilder::new().description(about).content("application/json", content.build())
}

fn reference<T: JsonSchema>() -> Ref {
    Ref::from_schema_name(T::schema_name())
}

fn text(longest: usize) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).max_length(Some(longest))
}

fn in_path(name: &str, about: String) -> Parameter {
    parameter(name, about, ParameterIn::Path, text(64)).required(Required::True).build()
}

fn in_query(name: &str, about: String, schema: ObjectBuilder) -> Parameter {
    parameter(name, about, ParameterIn::Query, schema).required(Required::False).build()
}

fn in_header(name: &str, about: &str) -> Parameter {
    parameter(name, about.to_owned(), ParameterIn::Header, text(512)).required(Required::False).build()
}

fn parameter(name: &str, about: String, place: ParameterIn, schema: ObjectBuilder) -> ParameterBuilder {
    let schema: Schema = schema.build().into();
    ParameterBuilder::new().name(name).parameter_in(place).description(Some(about)).schema(Some(schema))
}
