//! The numbers as providers give them, and what they mean.
//!
//! | provider's form | input | output |
//! |---|---|---|
//! | Gemini | `promptTokenCount`, which has the cached, and `toolUsePromptTokenCount` | `candidatesTokenCount` and `thoughtsTokenCount` |
//! | OpenAI's chat | `prompt_tokens`, which has the cached | `completion_tokens`; with the reasoning, where `total_tokens` says so (xAI) |
//! | Anthropic | `input_tokens`, `cache_read_input_tokens` and `cache_creation_input_tokens` | `output_tokens` |
//! | Bedrock's Converse | the same, as `inputTokens`, `cacheReadInputTokens` and `cacheWriteInputTokens` | `outputTokens` |
//! | any other | `input_tokens`, which has the cached | `output_tokens` |

use super::amounts::{COUNT_MAX, Usage};

/// A number of a provider's usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    PromptTokens,
    CompletionTokens,
    TotalTokens,
    InputTokens,
    OutputTokens,
    /// `cached_tokens` of the input's details, or DeepSeek's `prompt_cache_hit_tokens`.
    Cached,
    /// `cache_write_tokens` of the input's details.
    CacheWrite,
    Reasoning,
    AudioIn,
    AudioOut,
    ImageIn,
    ImageOut,
    CacheCreationInput,
    CacheReadInput,
    /// `ephemeral_1h_input_tokens`.
    CreationHour,
    PromptTokenCount,
    CachedContentTokenCount,
    CandidatesTokenCount,
    ThoughtsTokenCount,
    ToolUsePromptTokenCount,
    /// `seconds`, in milliseconds.
    AudioMs,
    /// `web_search_requests`, or Cohere's `search_units`.
    Searches,
}

const NUMBERS: usize = Number::Searches as usize + 1;

/// The numbers that have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Raw([Option<u64>; NUMBERS]);

impl Raw {
    pub fn set(&mut self, number: Number, value: u64) {
        if let Some(place) = self.0.get_mut(number as usize) {
            *place = Some(value.min(COUNT_MAX));
        }
    }

    pub fn add(&mut self, number: Number, value: u64) {
        self.set(number, self.of(number).saturating_add(value));
    }

    /// Takes over what has come later.
    pub fn merge(&mut self, later: &Self) {
        for (own, other) in self.0.iter_mut().zip(later.0) {
            *own = other.or(*own);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    fn has(&self, number: Number) -> bool {
        self.0.get(number as usize).is_some_and(Option::is_some)
    }

    fn of(&self, number: Number) -> u64 {
        self.0.get(number as usize).copied().flatten().unwrap_or_default()
    }

    fn sum(&self, numbers: &[Number]) -> u64 {
        numbers.iter().fold(0, |sum, number| sum.saturating_add(self.of(*number)))
    }

    /// The first of these that has come.
    fn first(&self, numbers: &[Number]) -> u64 {
        numbers.iter().find(|number| self.has(**number)).map_or(0, |number| self.of(*number))
    }

    /// The normal form.
    pub fn usage(&self) -> Usage {
        use Number::*;
        let (input, output) = self.totals();
        Usage {
            input,
            cached: self.first(&[Cached, CachedContentTokenCount, CacheReadInput]),
            cache_write: self.first(&[CacheWrite, CacheCreationInput]),
            cache_write_hour: self.of(CreationHour),
            audio_in: self.of(AudioIn),
            image_in: self.of(ImageIn),
            output,
            reasoning: self.first(&[Reasoning, ThoughtsTokenCount]),
            audio_out: self.of(AudioOut),
            image_out: self.of(ImageOut),
            images: 0,
            audio_ms: self.of(AudioMs),
            searches: self.of(Searches),
        }
        .bounded()
    }

    /// Input and output, by the table above.
    fn totals(&self) -> (u64, u64) {
        use Number::*;
        if self.has(PromptTokenCount) || self.has(CandidatesTokenCount) {
            let input = self.sum(&[PromptTokenCount, ToolUsePromptTokenCount]);
            return (input, self.sum(&[CandidatesTokenCount, ThoughtsTokenCount]));
        }
        if self.has(PromptTokens) || self.has(CompletionTokens) {
            let apart = self.sum(&[PromptTokens, CompletionTokens, Reasoning]);
            let is_apart = self.of(Reasoning) > 0 && self.of(TotalTokens) == apart;
            let output: &[Number] =
                if is_apart { &[CompletionTokens, Reasoning] } else { &[CompletionTokens] };
            return (self.of(PromptTokens), self.sum(output));
        }
        // Only Anthropic's form has these, and its input is without them.
        let input = self.sum(&[InputTokens, CacheReadInput, CacheCreationInput]);
        (input, self.of(OutputTokens))
    }
}
