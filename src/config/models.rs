//! Several deployments of one model.

use serde::{Deserialize, Serialize};

/// A model that several targets serve.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelFile {
    /// The name that clients ask for.
    pub name: String,
    /// The targets that serve the model.
    pub deployments: Vec<DeploymentFile>,
    /// Which of them gets a request. Default `weighted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// What keeps a client's requests on one deployment. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sticky: Option<Sticky>,
}

/// A target that serves a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentFile {
    /// The target, as a client would ask for it: `openai:gpt-4o`.
    pub target: String,
    /// The share of the requests, among the weights of the others. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
    /// The requests for a minute above which the others come first. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpm: Option<u32>,
    /// The same for tokens. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpm: Option<u32>,
}

/// Which deployment gets a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// By chance, by the weights.
    #[default]
    Weighted,
    /// Of two by chance, the deployment with fewer requests under way.
    LeastBusy,
    /// Of two by chance, the deployment that has answered sooner.
    Latency,
}

/// What keeps a client's requests on one deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sticky {
    /// The client's key.
    Key,
}
