//! Whose models a provider serves, as LiteLLM names vendors.

use crate::gateway::{Provider, ProviderUrl, istio_host};
use crate::native::import;

/// How the hosts of vendors end whose models LiteLLM asks for in another form than OpenAI's.
const ENDS_OF_HOSTS: [(&str, &str); 7] = [
    ("generativelanguage.googleapis.com", "gemini"),
    ("aiplatform.googleapis.com", "vertex_ai"),
    (".openai.azure.com", "azure"),
    (".cognitiveservices.azure.com", "azure"),
    (".services.ai.azure.com", "azure"),
    ("api.cohere.com", "cohere"),
    ("api.cohere.ai", "cohere"),
];

/// The vendor of a provider: by its host, else by its name. A name that LiteLLM does not use has no rows.
pub(super) fn vendor_of(provider: &Provider) -> &str {
    let url = provider.url.as_ref().map(|url| url.host.as_str());
    let host = url.or_else(|| istio_host(&provider.cluster)).unwrap_or(&provider.cluster);
    vendor_of_host(host).unwrap_or(&provider.name)
}

fn vendor_of_host(host: &str) -> Option<&'static str> {
    // In China the hosts end in `.amazonaws.com.cn`.
    let is_aws = host.trim_end_matches(".cn").ends_with(".amazonaws.com");
    if is_aws && host.starts_with("bedrock-") {
        return Some("bedrock");
    }
    let of_prefix = |(name, base): (&'static str, &'static str)| {
        let url = base.parse::<ProviderUrl>().ok()?;
        (url.https && url.host == host).then_some(name)
    };
    let by_end = ENDS_OF_HOSTS.iter().find(|(end, _)| host.ends_with(end));
    by_end.map(|(_, vendor)| *vendor).or_else(|| import::bases().find_map(of_prefix))
}

/// Whether models with this `litellm_provider` are of the vendor, whose name may be the beginning of LiteLLM's: those of
/// `azure_ai` are of `azure`, those of `vertex_ai-llama_models` are of `vertex_ai`, and those of `text-completion-openai`
/// are of `openai`.
pub(super) fn is_of(litellm_provider: &str, vendor: &str) -> bool {
    let own = litellm_provider.strip_prefix("text-completion-").unwrap_or(litellm_provider);
    let vendor = vendor.strip_suffix("_chat").unwrap_or(vendor);
    own.strip_prefix(vendor).is_some_and(|rest| rest.is_empty() || rest.starts_with(['_', '-']))
}
