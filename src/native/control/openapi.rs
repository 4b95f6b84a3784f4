//! `GET /admin/openapi.json`: the paths, as OpenAPI 3.1 describes them.

use serde_json::{Value, json};

fn operation(summary: &str, answer: &Value, statuses: &[(&str, &str)]) -> Value {
    let mut responses =
        json!({"200": {"description": "OK", "content": {"application/json": {"schema": answer}}}});
    for (status, description) in statuses {
        responses[status] = json!({
            "description": description,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        });
    }
    json!({"summary": summary, "responses": responses, "security": [{"adminKey": []}]})
}

const UNAUTHORIZED: (&str, &str) = ("401", "No admin key, or a key that is unknown or revoked");
const UNREACHABLE: (&str, &str) = ("502", "The gateway does not answer");

pub(super) fn document() -> Value {
    let object = json!({"type": "object"});
    let mut set = operation(
        "Change one setting in the configuration file; the answer comes when the change is in effect",
        &json!({"$ref": "#/components/schemas/Changed"}),
        &[
            ("400", "The body or the key is malformed"),
            UNAUTHORIZED,
            ("409", "An environment variable sets the setting, or the file cannot be written"),
            ("412", "The file has changed since its ETag was read"),
            ("422", "The configuration would not be valid"),
            ("500", "The change cannot be stored or applied"),
        ],
    );
    set["requestBody"] = json!({
        "required": true,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Change"}}},
    });
    set["parameters"] = json!([{
        "name": "If-Match", "in": "header", "required": false, "schema": {"type": "string"},
        "description": "The ETag of the settings that the change is made from",
    }]);
    let mut own = operation("This document", &object, &[]);
    own["security"] = json!([]);
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Gaud", "version": env!("CARGO_PKG_VERSION")},
        "paths": {
            "/admin/settings": {
                "get": operation("All settings", &json!({"$ref": "#/components/schemas/Settings"}), &[
                    UNAUTHORIZED, ("409", "There is no configuration file"), ("422", "The file is not valid"),
                    ("500", "The file cannot be read"),
                ]),
                "put": set,
            },
            "/admin/status": {"get": operation("The state of the gateway", &object, &[UNAUTHORIZED, UNREACHABLE])},
            "/admin/providers": {"get": operation("The state of the providers", &object, &[UNAUTHORIZED, UNREACHABLE])},
            "/admin/models": {"get": operation("The models of all providers", &object, &[UNAUTHORIZED, UNREACHABLE])},
            "/admin/openapi.json": {"get": own},
        },
        "components": {
            "securitySchemes": {"adminKey": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(),
        },
    })
}

fn schemas() -> Value {
    let text = json!({"type": "string"});
    json!({
        "Change": {
            "type": "object",
            "required": ["key", "value"],
            "additionalProperties": false,
            "properties": {
                "key": {"type": "string", "description": "A key of TOML, as providers.litellm.url or aliases.\"gpt-4.1\""},
                "value": {"description": "Typed, or a text that means the type; null and the empty text clear the setting"},
            },
        },
        "Changed": {
            "type": "object",
            "required": ["key", "applied", "version", "removed", "waits_for_restart"],
            "properties": {
                "key": text,
                "applied": {"type": "boolean"},
                "version": {"type": "integer"},
                "removed": {"type": "array", "items": text},
                "waits_for_restart": {"type": "array", "items": text},
            },
        },
        "Settings": {
            "type": "object",
            "required": ["file", "settings"],
            "properties": {
                "file": text,
                "settings": {"type": "array", "items": {"$ref": "#/components/schemas/Setting"}},
            },
        },
        "Setting": {
            "type": "object",
            "required": ["key", "value", "source"],
            "properties": {
                "key": text,
                "value": {"description": "******** in the place of a secret"},
                "source": {"enum": ["file", "environment"]},
                "variable": {"type": "string", "description": "The variable that sets the setting"},
            },
        },
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {"error": {
                "type": "object",
                "required": ["message", "type", "param", "code"],
                "properties": {
                    "message": text, "type": text, "code": text, "param": {"type": ["string", "null"]},
                },
            }},
        },
    })
}
