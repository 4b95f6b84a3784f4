// Records as the filter writes them (src/usage/journal.rs), for a ledger with a history.

const DAY_MS = 86_400_000;
const MODELS = [
  ["litellm", "gpt-4o", "litellm:gpt-4o"],
  ["litellm", "gpt-4o-mini", "fast"],
  ["claude", "claude-sonnet-4", "claude-sonnet-4"],
  ["litellm", "<script>alert(1)</script>", "litellm:<script>alert(1)</script>"],
];

/** The lines of a log of thirty days, always the same but for their times. */
export function month(keys, nowMs) {
  const lines = [];
  for (let day = 29; day >= 0; day--) {
    const count = 30 + ((day * 17) % 40);
    for (let number = 0; number < count; number++) {
      const [provider, model, asked] = MODELS[(number * 7 + day) % MODELS.length];
      const [key, user] = keys[(number + day) % keys.length];
      const begunMs = nowMs - day * DAY_MS - 60_000 - number * 55_000;
      const failed = number % 19 === 0;
      lines.push(record({ request: `r${day}x${number}`, begunMs, key, user, provider, model, asked, failed, number }));
    }
  }
  return lines;
}

function record({ request, begunMs, key, user, provider, model, asked, failed, number }) {
  const texts = [key, user, provider, model, asked].map(encodeURIComponent);
  const amounts = failed ? [0, 0] : [800 + number * 37, 120 + number * 11];
  const usage = [amounts[0], 0, 0, 0, 0, 0, amounts[1], 0, 0, 0, 0, 0, 0];
  const end = [failed ? 503 : 200, failed ? "failed" : "counted", "standard", 400 + number * 29, failed ? "-" : 180 + number];
  const fields = ["S", request, 1, Math.round(begunMs), ...texts, "chat", 900, ...end, ...usage];
  const text = `gaud.journal.1 ${fields.join(" ")}`;
  return `[2026-11-29 12:00:00.000][warning][wasm] wasm log gaud gaud gaud: ${text} #${checksum(text)}`;
}

/** FNV-1a, of 64 bits. */
function checksum(text) {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
