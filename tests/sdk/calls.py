"""Each endpoint of OpenAI's SDK: the call, the request that the call sends, and the value that the SDK returns."""

from collections.abc import Callable
from typing import Any, NamedTuple

import openai

from kit_py.answers import AUDIO, TEXT, WORDS

MODEL = "named:rec-large"
UPLOAD = bytes(range(256)) * 4000 + b"\r\n--not-a-boundary\r\n"  # a megabyte, with bytes like those between two parts
ASK = {"model": MODEL, "messages": [{"role": "user", "content": "Grüße 🦀"}]}
AGENT = {"assistant_id": "asst_1", "model": MODEL}


class Call(NamedTuple):
    request: str
    call: Callable[[openai.OpenAI], Any]
    value: Any


def words(stream) -> list[str]:
    return [chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content]


def deltas(stream) -> list[str]:
    return [event.delta for event in stream if event.type == "response.output_text.delta"]


def streamed_chat(client) -> str:
    with client.chat.completions.stream(**ASK) as stream:
        return stream.get_final_completion().choices[0].message.content


def image(answer) -> str | None:
    return answer.data[0].b64_json[:12]


IMAGE = "AAECAwQFBgcI"
FILE = ("sound.wav", UPLOAD)

# With a model.
NAMED = [
    Call("POST /v1/chat/completions", lambda c: c.chat.completions.create(**ASK).choices[0].message.content, TEXT),
    Call("POST /v1/chat/completions", lambda c: words(c.chat.completions.create(**ASK, stream=True)), WORDS),
    Call("POST /v1/chat/completions", streamed_chat, TEXT),
    Call("POST /v1/completions", lambda c: c.completions.create(model=MODEL, prompt="Hi").choices[0].text, TEXT),
    Call("POST /v1/responses", lambda c: c.responses.create(model=MODEL, input="Hi").output_text, TEXT),
    Call("POST /v1/responses", lambda c: deltas(c.responses.create(model=MODEL, input="Hi", stream=True)), WORDS),
    Call("POST /v1/responses/compact", lambda c: c.responses.compact(model=MODEL, input="Hi").id, "compact"),
    Call(
        "POST /v1/responses/input_tokens",
        lambda c: c.responses.input_tokens.count(model=MODEL, input="Hi").input_tokens,
        3,
    ),
    Call(
        "POST /v1/embeddings",
        lambda c: c.embeddings.create(model=MODEL, input="one", encoding_format="float").data[0].embedding,
        [0.25, -0.5, 1.0],
    ),
    Call("POST /v1/moderations", lambda c: c.moderations.create(model=MODEL, input="Hi").results[0].flagged, False),
    Call("POST /v1/images/generations", lambda c: image(c.images.generate(model=MODEL, prompt="A crab")), IMAGE),
    Call("POST /v1/images/edits", lambda c: image(c.images.edit(model=MODEL, prompt="More", image=FILE)), IMAGE),
    Call("POST /v1/images/variations", lambda c: image(c.images.create_variation(model=MODEL, image=FILE)), IMAGE),
    Call("POST /v1/audio/speech", lambda c: c.audio.speech.create(model=MODEL, voice="nova", input="Hi").content, AUDIO),
    Call("POST /v1/audio/transcriptions", lambda c: c.audio.transcriptions.create(model=MODEL, file=FILE).text, TEXT),
    Call("POST /v1/audio/translations", lambda c: c.audio.translations.create(model=MODEL, file=FILE).text, TEXT),
    Call("POST /v1/assistants", lambda c: c.beta.assistants.create(model=MODEL).id, "asst_1"),
    Call("POST /v1/threads/runs", lambda c: c.beta.threads.create_and_run(**AGENT).id, "run_1"),
    Call("POST /v1/threads/thread_1/runs", lambda c: c.beta.threads.runs.create("thread_1", **AGENT).id, "run_1"),
    Call("POST /v1/fine_tuning/jobs", lambda c: c.fine_tuning.jobs.create(model=MODEL, training_file="f").id, "ftjob-1"),
    Call("POST /v1/videos", lambda c: c.videos.create(model=MODEL, prompt="A crab").id, "video_1"),
]

# Without a model, so the default provider gets them all.
PLAIN = [
    Call("GET /v1/chat/completions", lambda c: c.chat.completions.list().data[0].id, "chatcmpl-1"),
    Call("GET /v1/chat/completions/c1", lambda c: c.chat.completions.retrieve("c1").id, "c1"),
    Call("GET /v1/chat/completions/c1/messages", lambda c: c.chat.completions.messages.list("c1").data[0].id, "msg_1"),
    Call("GET /v1/responses/resp_9", lambda c: c.responses.retrieve("resp_9").id, "resp_9"),
    Call("DELETE /v1/responses/resp_9", lambda c: c.responses.delete("resp_9"), None),
    Call("POST /v1/responses/resp_9/cancel", lambda c: c.responses.cancel("resp_9").id, "resp_9"),
    Call("GET /v1/responses/resp_9/input_items", lambda c: c.responses.input_items.list("resp_9").data[0].id, "msg_1"),
    Call("POST /v1/moderations", lambda c: c.moderations.create(input="Hi").results[0].flagged, False),
    Call("POST /v1/images/edits", lambda c: image(c.images.edit(prompt="More", image=FILE)), IMAGE),
    Call("POST /v1/files", lambda c: c.files.create(file=FILE, purpose="assistants").id, "file-1"),
    Call("GET /v1/files", lambda c: c.files.list(purpose="batch").data[0].id, "file-1"),
    Call("GET /v1/files/file-9", lambda c: c.files.retrieve("file-9").id, "file-9"),
    Call("GET /v1/files/file-9/content", lambda c: c.files.content("file-9").content, AUDIO),
    Call("DELETE /v1/files/file-9", lambda c: c.files.delete("file-9").deleted, True),
    Call(
        "POST /v1/batches",
        lambda c: c.batches.create(
            input_file_id="file-1", endpoint="/v1/chat/completions", completion_window="24h"
        ).id,
        "batch_1",
    ),
    Call("GET /v1/batches", lambda c: c.batches.list().data[0].id, "batch_1"),
    Call("GET /v1/batches/batch_9", lambda c: c.batches.retrieve("batch_9").id, "batch_9"),
    Call("POST /v1/batches/batch_9/cancel", lambda c: c.batches.cancel("batch_9").id, "batch_9"),
    Call("GET /v1/assistants", lambda c: c.beta.assistants.list().data[0].id, "asst_1"),
    Call("POST /v1/assistants/asst_9", lambda c: c.beta.assistants.update("asst_9", name="n").id, "asst_9"),
    Call("DELETE /v1/assistants/asst_9", lambda c: c.beta.assistants.delete("asst_9").deleted, True),
    Call("POST /v1/threads", lambda c: c.beta.threads.create().id, "thread_1"),
    Call("DELETE /v1/threads/t9", lambda c: c.beta.threads.delete("t9").deleted, True),
    Call(
        "POST /v1/threads/t9/messages",
        lambda c: c.beta.threads.messages.create("t9", role="user", content="named:rec-large").id,
        "msg_1",
    ),
    Call("GET /v1/threads/t9/messages", lambda c: c.beta.threads.messages.list("t9").data[0].id, "msg_1"),
    Call("POST /v1/threads/t9/runs", lambda c: c.beta.threads.runs.create("t9", assistant_id="asst_1").id, "run_1"),
    Call("GET /v1/threads/t9/runs/r9", lambda c: c.beta.threads.runs.retrieve("r9", thread_id="t9").id, "r9"),
    Call("POST /v1/threads/t9/runs/r9/cancel", lambda c: c.beta.threads.runs.cancel("r9", thread_id="t9").id, "r9"),
    Call(
        "POST /v1/threads/t9/runs/r9/submit_tool_outputs",
        lambda c: c.beta.threads.runs.submit_tool_outputs("r9", thread_id="t9", tool_outputs=[]).id,
        "r9",
    ),
    Call("POST /v1/vector_stores", lambda c: c.vector_stores.create(name="n").id, "vs_1"),
    Call("GET /v1/vector_stores", lambda c: c.vector_stores.list().data[0].id, "vs_1"),
    Call("DELETE /v1/vector_stores/vs_9", lambda c: c.vector_stores.delete("vs_9").deleted, True),
    Call(
        "POST /v1/vector_stores/vs_9/search",
        lambda c: c.vector_stores.search("vs_9", query="q").data[0].file_id,
        "file-1",
    ),
    Call(
        "POST /v1/vector_stores/vs_9/files",
        lambda c: c.vector_stores.files.create("vs_9", file_id="f").id,
        "file-1",
    ),
    Call("GET /v1/vector_stores/vs_9/files", lambda c: c.vector_stores.files.list("vs_9").data[0].id, "file-1"),
    Call(
        "POST /v1/vector_stores/vs_9/file_batches",
        lambda c: c.vector_stores.file_batches.create("vs_9", file_ids=["f"]).id,
        "vsfb_1",
    ),
    Call("GET /v1/fine_tuning/jobs", lambda c: c.fine_tuning.jobs.list().data[0].id, "ftjob-1"),
    Call("GET /v1/fine_tuning/jobs/j9", lambda c: c.fine_tuning.jobs.retrieve("j9").id, "j9"),
    Call("POST /v1/fine_tuning/jobs/j9/cancel", lambda c: c.fine_tuning.jobs.cancel("j9").id, "j9"),
    Call("GET /v1/fine_tuning/jobs/j9/events", lambda c: c.fine_tuning.jobs.list_events("j9").data[0].id, "ftevent-1"),
    Call(
        "POST /v1/uploads",
        lambda c: c.uploads.create(bytes=1, filename="f", mime_type="text/plain", purpose="batch").id,
        "upload_1",
    ),
    Call("POST /v1/uploads/u9/parts", lambda c: c.uploads.parts.create("u9", data=UPLOAD).id, "part_1"),
    Call("POST /v1/uploads/u9/complete", lambda c: c.uploads.complete("u9", part_ids=["part_1"]).id, "u9"),
    Call("POST /v1/conversations", lambda c: c.conversations.create().id, "conv_1"),
    Call("GET /v1/conversations/c9/items", lambda c: c.conversations.items.list("c9").data[0].id, "msg_1"),
    Call("POST /v1/containers", lambda c: c.containers.create(name="n").id, "cntr_1"),
    Call(
        "GET /v1/containers/c9/files/f9/content",
        lambda c: c.containers.files.content.retrieve("f9", container_id="c9").content,
        AUDIO,
    ),
    Call("POST /v1/evals", lambda c: c.evals.create(data_source_config={}, testing_criteria=[]).id, "eval_1"),
    Call("GET /v1/evals/e9/runs", lambda c: c.evals.runs.list("e9").data[0].id, "run_1"),
    Call("GET /v1/videos/v9/content", lambda c: c.videos.download_content("v9").content, AUDIO),
    Call("DELETE /v1/videos/v9", lambda c: c.videos.delete("v9").deleted, True),
    Call("POST /v1/realtime/client_secrets", lambda c: c.realtime.client_secrets.create().value, "ek_1"),
]
