package httpapi

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"order-processing-service/internal/application/access"
	"order-processing-service/internal/application/correlation"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/interfaces/httpapi/clients"
)

// exchange is one request and its answer. Exchanges are used again: nothing may keep one, or what
// its buffers hold, beyond the end of the request.
type exchange struct {
	api     *api
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context //nolint:containedctx // it lives as long as the request does
	method  string          // that the log, measurements and traces have
	scheme  string          // as method
	op      *operation      // nil when there is none for the request
	id      string          // of the request
	caller  ordering.Caller
	scopes  access.Scopes // what the caller may do
	lacking access.Scopes // what it would have needed; 0 for nothing
	path    [maxParameters]string
	client  clients.Client // once located
	located bool
	record  func(status int, cut bool) // ends the record of the request; nil when there is none
	status  int                        // of the answer; 0 until it begins
	code    string                     // of the problem that the answer is; "" when it is none
	written int64
	weight  int64 // of the body, which counts towards MaxInFlightBytes
	unread  int64 // what the answer weighs, until the client has read it
	begun   time.Time
	inside  bool   // has a place among those that are worked on
	taken   bool   // its body has been read whole
	turned  bool   // was turned away
	left    bool   // its client is gone, so that it has no answer
	in, out []byte // what came and what goes, to be used again
}

// maxKept is how large a buffer may be to be used again, in bytes.
const maxKept = 256 << 10

// exchanges are used again for the sake of their buffers.
//
//nolint:gochecknoglobals // a pool shares memory, not state
var exchanges = sync.Pool{New: func() any { return &exchange{in: make([]byte, 0, 4<<10), out: make([]byte, 0, 4<<10)} }}

// header names in the form in which net/http keeps them.
const (
	headerRequestID = "X-Request-Id"
	headerReplayed  = "Idempotent-Replayed"
	headerKey       = "Idempotency-Key"
)

// Header values that do not change are shared between all answers.
var (
	typeJSON    = []string{"application/json"}
	typeProblem = []string{"application/problem+json"}
	noSniff     = []string{"nosniff"}
	noStore     = []string{"no-store"}
	noCache     = []string{"no-cache"}
	closing     = []string{"close"}
	isTrue      = []string{"true"}

	// Nothing of the API is a page: a browser that shows an answer is to run and load nothing of it, show it in no frame, and
	// give it to no page of another origin that has not asked for it by CORS.
	noContent  = []string{"default-src 'none'; frame-ancestors 'none'"}
	noReferrer = []string{"no-referrer"}
	sameOrigin = []string{"same-origin"}
	// For a year browsers then take https only.
	onlyHTTPS = []string{"max-age=31536000"}
)

func newExchange(a *api, w http.ResponseWriter, r *http.Request) *exchange {
	x, ok := exchanges.Get().(*exchange)
	if !ok {
		x = new(exchange) // the pool holds nothing else
	}
	in, out := x.in[:0], x.out[:0]
	*x = exchange{api: a, w: w, r: r, method: methodOf(r), begun: time.Now(), in: in, out: out}
	x.scheme = x.schemeOf()

	if sent := r.Header[headerRequestID]; len(sent) == 1 && correlation.ValidRequestID(sent[0]) {
		x.id = sent[0]
	} else {
		x.id = correlation.NewRequestID()
	}
	x.ctx = correlation.WithRequestID(r.Context(), x.id)

	h := w.Header()
	h[headerRequestID] = []string{x.id}
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
	h["Content-Security-Policy"] = noContent
	h["Referrer-Policy"] = noReferrer
	h["Cross-Origin-Resource-Policy"] = sameOrigin
	if x.scheme == schemeHTTPS {
		h["Strict-Transport-Security"] = onlyHTTPS
	}
	if r.ProtoMajor == 1 && (r.ContentLength < 0 || r.ProtoMinor == 0) {
		// A body in chunks may have come with a length all the same, of which net/http does not tell, and in HTTP/1.0 it does not
		// even tell of the chunks: what a proxy before it takes for the next request could be the rest of this one. So there is no
		// next one (RFC 9112, section 6.1).
		h["Connection"] = closing
	}
	return x
}

// release gives the exchange back.
func (x *exchange) release() {
	x.putDown()
	in, out := x.in, x.out
	if cap(in) > maxKept {
		in = nil
	}
	if cap(out) > maxKept {
		out = nil
	}
	*x = exchange{in: in, out: out}
	exchanges.Put(x)
}

// reply writes the whole answer at once: the status and a body of the given content type.
func (x *exchange) reply(status int, contentType []string, body []byte) {
	h := x.w.Header()
	h["Content-Type"] = contentType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.start(status)
	x.write(body)
}

// begin returns the buffer for the answer's body, with what the body begins with.
func (x *exchange) begin(text string) []byte { return append(x.out[:0], text...) }

// replyJSON is reply for what was appended to out.
//
// The error is that of turnAway when what clients are slow to read is as much as may be.
func (x *exchange) replyJSON(status int, out []byte) error {
	x.out = out
	if err := x.admitAnswer(); err != nil {
		return err
	}
	x.reply(status, typeJSON, out)
	return nil
}

// start writes the status and the header of an answer that is whole: a client that is slow to read it keeps nobody from working.
func (x *exchange) start(status int) {
	x.status = status
	x.leave()
	x.w.WriteHeader(status)
}

// startLong is start for an answer of which only the beginning is there: its place is kept.
func (x *exchange) startLong(status int) {
	x.status = status
	x.w.WriteHeader(status)
}

// write writes a part of the body. An error means that the client is gone, which nobody needs to be
// told: the next write fails as well.
func (x *exchange) write(body []byte) {
	if x.r.Method == http.MethodHead {
		return
	}
	n, _ := x.w.Write(body)
	x.written += int64(n)
}
