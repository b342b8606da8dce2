#![doc = include_str!("../README.md")]

mod answer;
mod client;
pub mod endpoint;
mod siteverify;
mod webhooks;

pub use siteverify::{InvalidSiteverify, MAX_TIMEOUT, SiteverifyCaptcha, SiteverifySettings, is_hostname};
pub use webhooks::{HttpWebhooks, UnpreparedWebhooks};
