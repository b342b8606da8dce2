use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tenantry_domain::account::engine::{Trade, TradeId};
use tenantry_domain::config::Symbol;
use tenantry_domain::{Finding, Pointer};
use tenantry_ports::SchemaCheck;

use crate::body::{self, Body, TextCheck, text};
use crate::openapi::documented;
use crate::problem::Problem;

/// Most trades in one request.
const MOST: usize = 1000;

/// One trade, or many.
pub(crate) struct TradesBody(Vec<Trade>);

impl TradesBody {
    /// The trades, if they are not too many.
    pub(super) fn trades(self) -> Result<Vec<Trade>, Problem> {
        counted(self.0, "trade")
    }
}

impl Body for Trade {
    const TEXTS: &'static [(&'static str, TextCheck)] =
        &[("/tradeId", text::<TradeId>), ("/symbol", text::<Symbol>)];
}

impl Body for TradesBody {
    const OBJECT: bool = false;

    /// Each trade by itself: of a body that may be one thing or another, a schema only says that it is neither.
    fn faults(document: &Value, schemas: &dyn SchemaCheck) -> Vec<Finding> {
        match document {
            Value::Array(trades) => faults_of_each::<Trade>(trades, schemas),
            trade => body::part::<Trade>(trade, &Pointer::root(), schemas).err().unwrap_or_default(),
        }
    }
}

impl<'de> Deserialize<'de> for TradesBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

/// Serde's own untagged enums read through a buffer that exact numbers do not survive.
struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = TradesBody;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a trade, or an array of trades")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TradesBody, A::Error> {
        Ok(TradesBody(vec![Trade::deserialize(MapAccessDeserializer::new(map))?]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<TradesBody, A::Error> {
        let mut trades = Vec::new();
        while let Some(Object(trade)) = seq.next_element()? {
            trades.push(trade);
        }
        Ok(TradesBody(trades))
    }
}

/// Something that is an object: what parses it would take an array for one with its members in order.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Members(PhantomData))
    }
}

/// The things, if they are neither none nor too many.
pub(super) fn counted<T>(things: Vec<T>, what: &str) -> Result<Vec<T>, Problem> {
    let (code, message) = match things.len() {
        0 => ("too_few_items", format!("There has to be at least 1 {what}")),
        1..=MOST => return Ok(things),
        more => ("too_many_items", format!("There may be at most {MOST} {what}s, and there are {more}")),
    };
    Err(Problem::invalid(vec![Finding::new(Pointer::root(), code, message)]))
}

/// What is wrong with each of these.
pub(super) fn faults_of_each<T: Body>(documents: &[Value], schemas: &dyn SchemaCheck) -> Vec<Finding> {
    let faults = |(index, document)| body::part::<T>(document, &Pointer::root().index(index), schemas).err();
    (0..).zip(documents).filter_map(faults).flatten().collect()
}

impl JsonSchema for TradesBody {
    fn schema_name() -> Cow<'static, str> {
        "Trades".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let trade = generator.subschema_for::<Trade>();
        json_schema!({
            "description": "One trade, or many in the order in which they are to be applied",
            "anyOf": [
                trade,
                { "type": "array", "items": trade, "minItems": 1, "maxItems": MOST },
            ],
        })
    }
}

documented!(TradesBody);
