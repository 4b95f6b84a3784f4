// Reads requests as servers in Go do, one on each line of standard input, and writes what each reads: the readings
// that ../receivers.py describes.
package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
)

type asked struct {
	Method string
	Path   string
	Type   *string
	Body   []byte
}

type readings struct {
	Bodies  map[string]string   `json:"bodies"`
	Queries map[string]string   `json:"queries"`
	Objects map[string][]string `json:"objects"`
}

// What a server in Go decodes a request into.
type chat struct {
	Model *string `json:"model"`
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	answers := json.NewEncoder(out)
	for {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		var request asked
		check(err)
		check(json.Unmarshal(line, &request))
		check(answers.Encode(request.read()))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func (a asked) read() readings {
	return readings{
		Bodies: map[string]string{
			"Go map":       a.intoMap(),
			"Go struct":    a.intoStruct(),
			"Go form":      a.form(),
			"Go multipart": a.parts(),
		},
		Queries: map[string]string{"Go model": a.query("model"), "Go deployment": a.query("deployment")},
		Objects: map[string][]string{"Go": a.objects()},
	}
}

func (a asked) intoMap() string {
	var document map[string]any
	if json.Unmarshal(a.Body, &document) != nil {
		return "refused"
	}
	switch model := document["model"].(type) {
	case nil:
		return "none"
	case string:
		return of(model)
	default:
		return "other:a value"
	}
}

func (a asked) intoStruct() string {
	var document chat
	switch err := json.Unmarshal(a.Body, &document); {
	case err != nil:
		return "refused"
	case document.Model == nil:
		return "none"
	default:
		return of(*document.Model)
	}
}

func (a asked) request() *http.Request {
	request, err := http.NewRequest(a.Method, "http://server/", bytes.NewReader(a.Body))
	check(err)
	if a.Type != nil {
		request.Header.Set("Content-Type", *a.Type)
	}
	return request
}

// As r.PostFormValue reads.
func (a asked) form() string {
	request := a.request()
	switch err := request.ParseMultipartForm(1 << 20); {
	case err == http.ErrNotMultipart && len(request.PostForm) == 0:
		return "unread"
	case err != nil && err != http.ErrNotMultipart:
		return "refused"
	}
	values := request.PostForm["model"]
	if request.MultipartForm != nil && len(request.MultipartForm.File["model"]) > 0 {
		return "other:a file"
	}
	return ofValues(values)
}

// As a server reads that goes from part to part.
func (a asked) parts() string {
	kind, _, err := mime.ParseMediaType(a.request().Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return "unread"
	}
	parts, err := a.request().MultipartReader()
	if err != nil {
		return "refused"
	}
	var values []string
	for {
		part, err := parts.NextPart()
		if err == io.EOF {
			return ofValues(values)
		}
		if err != nil {
			return "refused"
		}
		content, err := io.ReadAll(part)
		if err != nil {
			return "refused"
		}
		if part.FormName() == "model" {
			values = append(values, string(content))
		}
	}
}

func (a asked) query(key string) string {
	_, query, _ := strings.Cut(a.Path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "refused"
	}
	return ofValues(values[key])
}

// Every model that the requests of a batch name.
func (a asked) objects() []string {
	var batch struct {
		Requests []struct {
			Params struct {
				Model string `json:"model"`
			} `json:"params"`
		} `json:"requests"`
	}
	models := []string{}
	if json.Unmarshal(a.Body, &batch) != nil {
		return models
	}
	for _, request := range batch.Requests {
		if request.Params.Model != "" {
			models = append(models, of(request.Params.Model))
		}
	}
	return models
}

func of(model string) string {
	return "model:" + hex.EncodeToString([]byte(model))
}

func ofValues(values []string) string {
	switch len(values) {
	case 0:
		return "none"
	case 1:
		return of(values[0])
	default:
		return "other:a list"
	}
}
