package status

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

const (
	// maxMetrics and maxHealth bound what is read of an answer, in bytes.
	maxMetrics = 8 << 20
	maxHealth  = 64 << 10
)

// Service is a running service as its operators see it, at its admin address. It must not be used concurrently.
type Service struct {
	base    *url.URL
	client  http.Client
	timeout time.Duration
	now     func() time.Time
}

// NewService returns the service at the base URL, which is asked past any proxy and without following redirects, for as long as
// timeout with each look. The error says what is wrong with the URL.
func NewService(base string, timeout time.Duration, now func() time.Time) (*Service, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, fmt.Errorf("no URL: %w", err)
	}
	return &Service{base: u, timeout: timeout, now: now, client: http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close ends the connections.
func (s *Service) Close() { s.client.CloseIdleConnections() }

// WrongAddressError says that somebody answers who is no admin address of a service.
type WrongAddressError struct{ Problem string }

func (e *WrongAddressError) Error() string {
	return e.Problem + ": give the admin address of the service (its setting ADMIN_ADDR, http://127.0.0.1:9464 unless set), not that of its API"
}

// Look is what a service says of itself at one moment.
type Look struct {
	at          time.Time
	live, ready bool
	reason      string // why it is not ready, or not live; "" if it is
	version     string // "" if not known
	metrics     metrics
	trouble     string // why there are no metrics; "" if there are, or it is not live
}

// Live reports whether the service answered.
func (l *Look) Live() bool { return l.live }

// Look asks the service once. A service that is away or not ready is no error. A WrongAddressError comes with what is known all the
// same; with any other error, which is that ctx has ended, there is no Look.
func (s *Service) Look(ctx context.Context) (*Look, error) {
	asking, cancel := context.WithTimeoutCause(ctx, s.timeout, fmt.Errorf("no answer within %s", s.timeout))
	defer cancel()
	l := new(Look)
	health, err := s.get(asking, "health", maxHealth)
	switch {
	case err != nil:
		l.reason = err.Error() + "; is the service running there?"
	case health.status >= http.StatusInternalServerError:
		l.reason = health.said()
	case health.status != http.StatusOK:
		l.reason = health.said()
		err = &WrongAddressError{health.statusLine()}
	default:
		l.live, l.version = true, health.words().Version
		err = s.ask(asking, l)
	}
	l.at = s.now()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if _, ok := errors.AsType[*WrongAddressError](err); ok {
		return l, err
	}
	return l, nil
}

// ask asks a service that is live for the rest.
func (s *Service) ask(ctx context.Context, l *Look) error {
	ready, err := s.get(ctx, "health/ready", maxHealth)
	switch {
	case err != nil:
		l.reason = err.Error()
	case ready.status != http.StatusOK:
		l.reason = ready.said()
	default:
		l.ready = true
	}
	l.metrics, err = s.measurements(ctx)
	if err != nil {
		l.trouble = err.Error()
	}
	return err
}

func (s *Service) measurements(ctx context.Context) (metrics, error) {
	a, err := s.get(ctx, "metrics", maxMetrics)
	if err != nil {
		return nil, err
	}
	switch kind, _, _ := mime.ParseMediaType(a.kind); { // what is no media type is none of metrics
	case a.status >= http.StatusInternalServerError:
		return nil, errors.New(a.said())
	case a.status != http.StatusOK:
		return nil, &WrongAddressError{a.statusLine()}
	case kind != "text/plain":
		return nil, &WrongAddressError{fmt.Sprintf("%s answered with %q and no metrics", a.what, shortened(a.kind))}
	}
	m, err := parse(a.body)
	if err != nil {
		return nil, fmt.Errorf("%s: what it answered %s", a.what, shortened(err.Error()))
	}
	return m, nil
}

// answer is what came of a request.
type answer struct {
	what   string // was asked
	status int
	kind   string // its Content-Type
	body   []byte
}

func (s *Service) get(ctx context.Context, path string, most int) (*answer, error) {
	target := s.base.JoinPath(path)
	a := &answer{what: "GET " + target.Redacted()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.what, err)
	}
	response, err := s.client.Do(request)
	if err == nil {
		defer response.Body.Close()
		a.status, a.kind = response.StatusCode, response.Header.Get("Content-Type")
		a.body, err = io.ReadAll(io.LimitReader(response.Body, int64(most)+1))
	}
	switch failed, ok := errors.AsType[*url.Error](err); {
	case err == nil && len(a.body) > most:
		err = fmt.Errorf("the answer is larger than %d KiB", most>>10)
	case err != nil && ctx.Err() != nil:
		err = context.Cause(ctx)
	case ok:
		err = failed.Err // the URL stands in the message already
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s", a.what, shortened(err.Error()))
	}
	return a, nil
}

// statusLine tells the status of an answer.
func (a *answer) statusLine() string {
	return strings.TrimSpace(fmt.Sprintf("%s answered %d %s", a.what, a.status, http.StatusText(a.status)))
}

// said tells the status of an answer, and the words of its problem.
func (a *answer) said() string {
	text := a.statusLine()
	if problem := a.words().Error; problem != "" {
		text += ": " + problem
	}
	return text
}

// words are those of an answer's JSON that people are shown.
func (a *answer) words() (w struct {
	Version string `json:"version"`
	Error   string `json:"error"`
},
) {
	if json.Unmarshal(a.body, &w) != nil {
		w.Version, w.Error = "", "" // who answers otherwise is no less live
	}
	w.Version, w.Error = shortened(w.Version), shortened(w.Error)
	return w
}
