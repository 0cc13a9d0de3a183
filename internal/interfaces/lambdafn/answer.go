package lambdafn

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
)

// answer keeps what a handler answers, as its http.ResponseWriter. It is as strict as that of a server: what is set in the
// header once the answer has begun is not sent, and an answer without a body gets none. It belongs to one goroutine.
type answer struct {
	header http.Header // as the handler sees it
	status int         // 0 until the answer begins
	sent   http.Header // as it was when the answer began
	body   bytes.Buffer
	isHead bool
	limit  int // bytes of the body
	large  bool
	stop   context.CancelFunc // ends a handler whose answer is too large
}

var errAnswerTooLarge = errors.New("the answer is larger than Lambda passes on")

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.header }

// WriteHeader implements http.ResponseWriter. Answers before the answer are not passed on.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 || status < http.StatusOK {
		return
	}
	a.status, a.sent = status, a.header.Clone()
}

// Write implements http.ResponseWriter. What is too large ends with an error.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	switch {
	case a.status == http.StatusNoContent, a.status == http.StatusNotModified:
		return 0, http.ErrBodyNotAllowed
	case a.isHead:
		return len(b), nil
	case a.body.Len()+len(b) > a.limit:
		a.large = true
		a.stop()
		return 0, errAnswerTooLarge
	}
	n, _ := a.body.Write(b) // never fails
	return n, nil
}

// FlushError is what an http.ResponseController calls. Nothing leaves before the whole answer does.
func (a *answer) FlushError() error {
	a.WriteHeader(http.StatusOK)
	if a.large {
		return errAnswerTooLarge
	}
	return nil
}

// Flush implements http.Flusher.
func (a *answer) Flush() { a.WriteHeader(http.StatusOK) }

// lead puts a prefix before the paths in the header of a finished answer, which are those of the API.
func (a *answer) lead(prefix string) {
	if location := a.sent.Get("Location"); strings.HasPrefix(location, "/") {
		a.sent.Set("Location", prefix+location)
	}
	links := a.sent["Link"]
	for i, link := range links {
		if path, ok := strings.CutPrefix(link, "</"); ok {
			links[i] = "<" + prefix + "/" + path
		}
	}
}

// finish ends the answer as a server would: one that never began is an empty 200, and a body has a type.
func (a *answer) finish() {
	a.WriteHeader(http.StatusOK)
	for _, name := range []string{"Connection", "Keep-Alive", "Transfer-Encoding"} {
		a.sent.Del(name) // they are about a connection that there is not
	}
	if a.body.Len() > 0 && len(a.sent["Content-Type"]) == 0 && a.sent.Get("Content-Encoding") == "" {
		a.sent.Set("Content-Type", http.DetectContentType(a.body.Bytes()))
	}
	if a.body.Len() > 0 && len(a.sent["Content-Length"]) == 0 {
		a.sent.Set("Content-Length", strconv.Itoa(a.body.Len()))
	}
}
