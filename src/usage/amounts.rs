//! The one form in which usage is recorded, whatever a provider calls its numbers.

/// A larger number is cut: no answer is so long, and sums of such numbers stay far from overflow.
pub const COUNT_MAX: u64 = 1_000_000_000_000;

/// How many amounts there are.
pub const AMOUNTS: usize = 13;

/// What one attempt has used. All are tokens where nothing else is said. A part is never more than its whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input: text, cached, written to the cache, audio and images.
    pub input: u64,
    /// The part of the input that came from the provider's cache.
    pub cached: u64,
    /// The part of the input that the provider has written to its cache.
    pub cache_write: u64,
    /// The part of `cache_write` that is kept for an hour.
    pub cache_write_hour: u64,
    /// The part of the input that is audio.
    pub audio_in: u64,
    /// The part of the input that is images.
    pub image_in: u64,
    /// All output: text, reasoning, audio and images.
    pub output: u64,
    /// The part of the output that is reasoning.
    pub reasoning: u64,
    /// The part of the output that is audio.
    pub audio_out: u64,
    /// The part of the output that is images.
    pub image_out: u64,
    /// Images in the answer.
    pub images: u64,
    /// Audio that was read, in milliseconds, where the provider counts no tokens.
    pub audio_ms: u64,
    /// Searches that the provider has made.
    pub searches: u64,
}

/// The amounts in the order in which records and tables have them.
macro_rules! in_order {
    ($($name:ident)*) => {
        impl Usage {
            pub const NONE: Self = Self { $($name: 0),* };

            /// The names of the amounts, in the order of [`Self::amounts`].
            pub const NAMES: [&'static str; AMOUNTS] = [$(stringify!($name)),*];

            /// All amounts, in the order of [`Self::NAMES`].
            pub fn amounts(&self) -> [u64; AMOUNTS] {
                [$(self.$name),*]
            }

            /// The usage with these amounts.
            pub fn of(amounts: [u64; AMOUNTS]) -> Self {
                let [$($name),*] = amounts.map(|amount| amount.min(COUNT_MAX));
                Self { $($name),* }.bounded()
            }
        }
    };
}

in_order! {
    input cached cache_write cache_write_hour audio_in image_in
    output reasoning audio_out image_out images audio_ms searches
}

impl Usage {
    /// All input and all output.
    pub fn tokens(&self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// The same with no part larger than its whole, in the order in which prices are taken from it.
    pub fn bounded(mut self) -> Self {
        let mut input = self.input;
        for part in
            [&mut self.cached, &mut self.cache_write, &mut self.audio_in, &mut self.image_in]
        {
            *part = (*part).min(input);
            input = input.saturating_sub(*part);
        }
        self.cache_write_hour = self.cache_write_hour.min(self.cache_write);
        let mut output = self.output;
        for part in [&mut self.audio_out, &mut self.image_out, &mut self.reasoning] {
            *part = (*part).min(output);
            output = output.saturating_sub(*part);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(all(target_family = "wasm", target_os = "unknown"))]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn amounts_go_there_and_back() {
        let amounts = [900, 1, 2, 1, 4, 5, 600, 7, 8, 9, 10, 11, 12];
        assert_eq!(Usage::of(amounts).amounts(), amounts);
        assert_eq!(Usage::of([u64::MAX; AMOUNTS]).input, COUNT_MAX);
    }

    #[test]
    fn no_part_is_more_than_its_whole() {
        let usage =
            Usage { input: 10, cached: 8, cache_write: 5, cache_write_hour: 4, ..Usage::default() };
        let usage = Usage { output: 3, reasoning: 9, audio_out: 1, ..usage }.bounded();
        assert_eq!((usage.cached, usage.cache_write, usage.cache_write_hour), (8, 2, 2));
        assert_eq!((usage.audio_out, usage.reasoning), (1, 2));
    }
}
