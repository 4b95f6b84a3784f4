//! The providers that LiteLLM calls in OpenAI's form, by the prefixes of its models.

/// The paths on which LiteLLM sends a request on as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serves {
    /// OpenAI's own, and servers that are named so.
    OpenAi,
    Chat,
    ChatAndEmbeddings,
    Embeddings,
    /// Azure has the model in the path.
    Azure,
    /// Anthropic's own form; LiteLLM translates the others.
    Messages,
}

/// What a prefix means.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prefix {
    pub(super) name: &'static str,
    /// Empty where `api_base` is needed.
    pub(super) base: &'static str,
    /// The variables that may have a base URL in the place of `base`.
    pub(super) base_variables: &'static [&'static str],
    /// The variables of the key; the first that is set counts.
    pub(super) key_variables: &'static [&'static str],
    /// Whether LiteLLM calls a server without a key.
    pub(super) is_keyless: bool,
    pub(super) serves: Serves,
}

use Serves::{Azure, Chat, ChatAndEmbeddings, Embeddings, Messages, OpenAi};

const fn row(
    name: &'static str,
    base: &'static str,
    base_variables: &'static [&'static str],
    key_variables: &'static [&'static str],
    serves: Serves,
) -> Prefix {
    Prefix { name, base, base_variables, key_variables, is_keyless: false, serves }
}

impl Prefix {
    /// LiteLLM calls the server without a key.
    const fn keyless(self) -> Self {
        Self { is_keyless: true, ..self }
    }
}

/// The providers that have an address of their own: the prefix, the URL, and the variable of the key, as the document lists them.
pub fn documented() -> Vec<(&'static str, &'static str, &'static str)> {
    let is_plain = |own: &&Prefix| !own.base.is_empty() && own.serves != Messages;
    let row = |own: &'static Prefix| {
        (own.name, own.base, own.key_variables.first().copied().unwrap_or_default())
    };
    PREFIXES.iter().filter(is_plain).map(row).collect()
}

/// The prefixes with a URL, and the URLs.
pub fn bases() -> impl Iterator<Item = (&'static str, &'static str)> {
    PREFIXES.iter().filter(|own| !own.base.is_empty()).map(|own| (own.name, own.base))
}

/// As `litellm.get_llm_provider` of LiteLLM 1.106 has them; a test compares the two.
#[rustfmt::skip]
pub(super) static PREFIXES: &[Prefix] = &[
    row("openai", "https://api.openai.com/v1", &["OPENAI_BASE_URL", "OPENAI_API_BASE"], &["OPENAI_API_KEY"], OpenAi),
    row("azure", "", &["AZURE_API_BASE"], &["AZURE_OPENAI_API_KEY", "AZURE_API_KEY"], Azure),
    row("anthropic", "https://api.anthropic.com", &["ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"], &["ANTHROPIC_API_KEY"], Messages),
    row("groq", "https://api.groq.com/openai/v1", &["GROQ_API_BASE"], &["GROQ_API_KEY"], Chat),
    row("mistral", "https://api.mistral.ai/v1", &["MISTRAL_AZURE_API_BASE"], &["MISTRAL_AZURE_API_KEY", "MISTRAL_API_KEY"], ChatAndEmbeddings),
    row("codestral", "https://codestral.mistral.ai/v1", &["CODESTRAL_API_BASE"], &["CODESTRAL_API_KEY"], Chat),
    row("deepseek", "https://api.deepseek.com/beta", &["DEEPSEEK_API_BASE"], &["DEEPSEEK_API_KEY"], Chat),
    row("together_ai", "https://api.together.ai/v1", &["TOGETHER_AI_API_BASE"], &["TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN"], Chat),
    row("fireworks_ai", "https://api.fireworks.ai/inference/v1", &["FIREWORKS_API_BASE"], &["FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"], Chat),
    row("openrouter", "https://openrouter.ai/api/v1", &["OPENROUTER_API_BASE"], &["OPENROUTER_API_KEY", "OR_API_KEY"], Chat),
    row("perplexity", "https://api.perplexity.ai", &["PERPLEXITY_API_BASE"], &["PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"], Chat),
    row("xai", "https://api.x.ai/v1", &["XAI_API_BASE"], &["XAI_API_KEY"], Chat),
    row("cerebras", "https://api.cerebras.ai/v1", &["CEREBRAS_API_BASE"], &["CEREBRAS_API_KEY"], Chat),
    row("nvidia_nim", "https://integrate.api.nvidia.com/v1", &["NVIDIA_NIM_API_BASE"], &["NVIDIA_NIM_API_KEY"], Chat),
    row("sambanova", "https://api.sambanova.ai/v1", &["SAMBANOVA_API_BASE"], &["SAMBANOVA_API_KEY"], Chat),
    row("moonshot", "https://api.moonshot.ai/v1", &["MOONSHOT_API_BASE"], &["MOONSHOT_API_KEY"], Chat),
    row("deepinfra", "https://api.deepinfra.com/v1/openai", &["DEEPINFRA_API_BASE"], &["DEEPINFRA_API_KEY"], Chat),
    row("novita", "https://api.novita.ai/v3/openai", &["NOVITA_API_BASE"], &["NOVITA_API_KEY"], Chat),
    row("nebius", "https://api.studio.nebius.ai/v1", &["NEBIUS_API_BASE"], &["NEBIUS_API_KEY"], Chat),
    row("hyperbolic", "https://api.hyperbolic.xyz/v1", &["HYPERBOLIC_API_BASE"], &["HYPERBOLIC_API_KEY"], Chat),
    row("lambda_ai", "https://api.lambda.ai/v1", &["LAMBDA_API_BASE"], &["LAMBDA_API_KEY"], Chat),
    row("nscale", "https://inference.api.nscale.com/v1", &["NSCALE_API_BASE"], &["NSCALE_API_KEY"], Chat),
    row("featherless_ai", "https://api.featherless.ai/v1", &["FEATHERLESS_AI_API_BASE", "FEATHERLESS_API_BASE"], &["FEATHERLESS_AI_API_KEY", "FEATHERLESS_API_KEY"], Chat),
    row("friendliai", "https://api.friendli.ai/serverless/v1", &["FRIENDLI_API_BASE"], &["FRIENDLIAI_API_KEY", "FRIENDLI_TOKEN"], Chat),
    row("dashscope", "https://dashscope.aliyuncs.com/compatible-mode/v1", &["DASHSCOPE_API_BASE"], &["DASHSCOPE_API_KEY"], Chat),
    row("modelscope", "https://api-inference.modelscope.cn/v1", &["MODELSCOPE_API_BASE"], &["MODELSCOPE_API_KEY"], Chat),
    row("volcengine", "https://ark.cn-beijing.volces.com/api/v3", &["VOLCENGINE_API_BASE"], &["VOLCENGINE_API_KEY"], Chat),
    row("zai", "https://api.z.ai/api/paas/v4", &["ZAI_API_BASE"], &["ZAI_API_KEY"], Chat),
    row("meta_llama", "https://api.llama.com/compat/v1", &["LLAMA_API_BASE"], &["LLAMA_API_KEY"], Chat),
    row("github", "https://models.inference.ai.azure.com", &["GITHUB_API_BASE"], &["GITHUB_API_KEY"], Chat),
    row("vercel_ai_gateway", "https://ai-gateway.vercel.sh/v1", &["VERCEL_AI_GATEWAY_API_BASE"], &["VERCEL_AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"], Chat),
    row("v0", "https://api.v0.dev/v1", &["V0_API_BASE"], &["V0_API_KEY"], Chat),
    row("morph", "https://api.morphllm.com/v1", &["MORPH_API_BASE"], &["MORPH_API_KEY"], Chat),
    row("inception", "https://api.inceptionlabs.ai/v1", &["INCEPTION_API_BASE"], &["INCEPTION_API_KEY"], Chat),
    row("aiml", "https://api.aimlapi.com/v1", &["AIML_API_BASE"], &["AIML_API_KEY"], Chat),
    row("wandb", "https://api.inference.wandb.ai/v1", &["WANDB_API_BASE"], &["WANDB_API_KEY"], Chat),
    row("ai21_chat", "https://api.ai21.com/studio/v1", &["AI21_API_BASE"], &["AI21_API_KEY"], Chat),
    row("jina_ai", "https://api.jina.ai/v1", &["JINA_AI_API_BASE"], &["JINA_AI_API_KEY", "JINA_API_KEY", "JINA_AI_TOKEN"], Embeddings),
    row("galadriel", "https://api.galadriel.com/v1", &["GALADRIEL_API_BASE"], &["GALADRIEL_API_KEY"], Chat),
    row("edenai", "https://api.edenai.run/v3", &["EDENAI_API_BASE"], &["EDENAI_API_KEY"], Chat),
    row("litellm_proxy", "", &["LITELLM_PROXY_API_BASE"], &["LITELLM_PROXY_API_KEY"], ChatAndEmbeddings),
    row("hosted_vllm", "", &["HOSTED_VLLM_API_BASE"], &["HOSTED_VLLM_API_KEY"], ChatAndEmbeddings).keyless(),
    row("lm_studio", "", &["LM_STUDIO_API_BASE"], &["LM_STUDIO_API_KEY"], Chat).keyless(),
    row("llamafile", "http://127.0.0.1:8080/v1", &["LLAMAFILE_API_BASE"], &["LLAMAFILE_API_KEY"], Chat).keyless(),
    row("veniceai", "https://api.venice.ai/api/v1", &[], &["VENICE_AI_API_KEY"], Chat),
    row("xiaomi_mimo", "https://api.xiaomimimo.com/v1", &[], &["XIAOMI_MIMO_API_KEY"], Chat),
    row("scaleway", "https://api.scaleway.ai/v1", &[], &["SCW_SECRET_KEY"], Chat),
    row("synthetic", "https://api.synthetic.new/openai/v1", &[], &["SYNTHETIC_API_KEY"], Chat),
    row("apertis", "https://api.stima.tech/v1", &[], &["STIMA_API_KEY"], Chat),
    row("nano-gpt", "https://nano-gpt.com/api/v1", &[], &["NANOGPT_API_KEY"], Chat),
    row("poe", "https://api.poe.com/v1", &[], &["POE_API_KEY"], Chat),
    row("chutes", "https://llm.chutes.ai/v1/", &[], &["CHUTES_API_KEY"], Chat),
    row("abliteration", "https://api.abliteration.ai/v1", &[], &["ABLITERATION_API_KEY"], Chat),
    row("llamagate", "https://api.llamagate.dev/v1", &[], &["LLAMAGATE_API_KEY"], Chat),
    row("gmi", "https://api.gmi-serving.com/v1", &[], &["GMI_API_KEY"], Chat),
    row("assemblyai", "https://llm-gateway.assemblyai.com/v1", &[], &["ASSEMBLYAI_API_KEY"], Chat),
    row("aihubmix", "https://aihubmix.com/v1", &["AIHUBMIX_API_BASE"], &["AIHUBMIX_API_KEY"], Chat),
    row("crusoe", "https://managed-inference-api-proxy.crusoecloud.com/v1", &["CRUSOE_API_BASE"], &["CRUSOE_API_KEY"], Chat),
    row("cognition", "https://api.cognition.ai/v1", &["COGNITION_API_BASE"], &["COGNITION_API_KEY"], Chat),
    row("cortecs", "https://api.cortecs.ai/v1", &["CORTECS_API_BASE"], &["CORTECS_API_KEY"], Chat),
    row("reka", "https://api.reka.ai/v1", &["REKA_API_BASE"], &["REKA_API_KEY"], Chat),
];

impl Prefix {
    pub(super) fn of(name: &str) -> Option<&'static Self> {
        PREFIXES.iter().find(|prefix| prefix.name == name)
    }

    /// The variable that is usual, where none is set.
    pub(super) fn usual_key(&self) -> Option<&'static str> {
        let is_last = matches!(self.name, "azure" | "mistral");
        let key = if is_last { self.key_variables.last() } else { self.key_variables.first() };
        key.copied()
    }
}

const CHAT: &str = "/v1/chat/completions";
const EMBEDDINGS: &str = "/v1/embeddings";

impl Serves {
    /// The paths that go direct for a model of this mode; empty for a mode that LiteLLM alone serves. Without a mode, all
    /// that the provider has.
    pub(super) fn paths(self, mode: Option<&str>) -> Vec<&'static str> {
        let all: &[(&str, &str)] = match self {
            OpenAi => &[
                ("chat", CHAT),
                ("embedding", EMBEDDINGS),
                ("image_generation", "/v1/images/generations"),
                ("audio_speech", "/v1/audio/speech"),
                ("audio_transcription", "/v1/audio/transcriptions"),
                ("moderation", "/v1/moderations"),
            ],
            Chat => &[("chat", CHAT)],
            ChatAndEmbeddings | Azure => &[("chat", CHAT), ("embedding", EMBEDDINGS)],
            Embeddings => &[("embedding", EMBEDDINGS)],
            Messages => &[("chat", "/v1/messages")],
        };
        let of_mode = all.iter().filter(|(own, _)| mode.is_none_or(|mode| mode == *own));
        of_mode.map(|(_, path)| *path).collect()
    }
}

/// Whether LiteLLM takes a model without a prefix for OpenAI's.
pub(super) fn is_openai(model: &str) -> bool {
    let starts = ["gpt-3.5-turbo", "gpt-4", "gpt-5", "o1", "o3", "o4-mini", "chatgpt-4o"];
    let exact = ["text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"];
    let follows = |rest: &str| rest.is_empty() || rest.starts_with(['-', 'o', '.']);
    exact.contains(&model)
        || starts.iter().any(|start| model.strip_prefix(start).is_some_and(follows))
}
