#![doc = include_str!("../README.md")]

mod answer;
mod answers;
mod client;
pub mod endpoint;
mod endpoint_url;
mod endpoints;
mod guard;
mod names;
mod siteverify;
mod webhooks;
mod zones;

pub use endpoints::{EndpointSettings, GuardedEndpoints};
pub use guard::{EndpointRules, InvalidNetwork, InvalidPorts, Networks, OwnPlace, Ports};
pub use names::SystemNames;
pub use siteverify::{InvalidSiteverify, MAX_TIMEOUT, SiteverifyCaptcha, SiteverifySettings, is_hostname};
pub use webhooks::{HttpWebhooks, UnpreparedWebhooks};
