// Package orderclient places orders with a running service, over its REST API. It is the destination
// of an import that does not write to a store itself.
package orderclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"order-processing-service/internal/application/importing"
	"order-processing-service/internal/application/ordering"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
)

var _ importing.Destination = (*Client)(nil)

const (
	// maxBody is how much is sent at once, in bytes: what the service takes, less some room.
	maxBody = 8<<20 - 64<<10
	// requestTimeout is how long one batch may take, answer included.
	requestTimeout = 2 * time.Minute
	// dialTimeout is how long the service may take to answer a call at all.
	dialTimeout = 10 * time.Second
)

// Client talks to one service. It is safe for concurrent use.
type Client struct {
	address string // of POST /orders/batch
	as      Credentials
	http    *http.Client
	maxBody int
}

// Credentials say who calls; the zero value says nothing.
type Credentials struct {
	Token  string // sent as Authorization: Bearer
	APIKey string // sent as X-Api-Key
}

// New returns a client of the service at a base address such as http://127.0.0.1:8000.
func New(base string, as Credentials) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fault.New(fault.Invalid, "url_invalid", "the address of the service must be like http://127.0.0.1:8000")
	}
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout: dialTimeout,
		MaxIdleConnsPerHost: importing.DefaultWorkers,
		ForceAttemptHTTP2:   true,
	}
	client := &http.Client{Transport: transport, Timeout: requestTimeout}
	if as != (Credentials{}) {
		// What says who calls is for this service, not for where it may send the client.
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &Client{
		address: u.JoinPath("orders", "batch").String(), as: as,
		http:    client,
		maxBody: maxBody,
	}, nil
}

// Close gives back the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Place implements importing.Destination. A batch that is too large for one request becomes several.
func (c *Client) Place(ctx context.Context, orders []ordering.Place) ([]importing.Outcome, error) {
	outcomes := make([]importing.Outcome, len(orders))
	for first := 0; first < len(orders); {
		body, count := c.encode(orders[first:])
		if count == 0 {
			outcomes[first].Err = fault.New(fault.TooLarge, "order_too_large", "the order is larger than the service takes; split it")
			first++
			continue
		}
		part := outcomes[first : first+count]
		first += count
		if err := c.send(ctx, body, orders[first-count].AsHistory, part); err != nil {
			if first == count {
				return nil, err
			}
			// What earlier requests placed stays placed.
			for i := range part {
				part[i].Err = err
			}
		}
	}
	return outcomes, nil
}

// encode writes as many of the orders as fit into a request; none when the first alone does not fit.
func (c *Client) encode(orders []ordering.Place) (body []byte, count int) {
	const opening, closing = `{"orders":[`, `]}`
	body = append(body, opening...)
	for count < min(len(orders), ordering.MaxBatch) && orders[count].AsHistory == orders[0].AsHistory {
		size := len(body)
		if count > 0 {
			body = append(body, ',')
		}
		body = appendOrder(body, &orders[count])
		if len(body)+len(closing) > c.maxBody {
			body = body[:size]
			break
		}
		count++
	}
	return append(body, closing...), count
}

// send sends one request and takes its results.
func (c *Client) send(ctx context.Context, body []byte, asHistory bool, outcomes []importing.Outcome) error {
	address := c.address
	if asHistory {
		address += "?as_history=true"
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("place orders: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, application/problem+json")
	if c.as.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.as.Token)
	}
	if c.as.APIKey != "" {
		request.Header.Set("X-Api-Key", c.as.APIKey)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return c.unreachable(ctx, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return c.refused(response)
	}
	var answer answer
	if err := json.UnmarshalRead(response.Body, &answer); err != nil {
		if transient(err) {
			return c.unreachable(ctx, err)
		}
		return c.foreign(err.Error())
	}
	if len(answer.Results) != len(outcomes) {
		return c.foreign(fmt.Sprintf("%d results for %d orders", len(answer.Results), len(outcomes)))
	}
	for i := range answer.Results {
		if outcomes[i], err = answer.Results[i].outcome(); err != nil {
			return c.foreign(err.Error())
		}
	}
	return nil
}

// transient reports whether an answer broke off on its way, rather than being wrong.
func transient(err error) bool {
	_, ofNet := errors.AsType[net.Error](err)
	return ofNet || isCut(err)
}

// unreachable is the fault for a service that gives no answer.
func (c *Client) unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("place orders: %w", context.Cause(ctx))
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	return fault.Wrap(err, fault.Unavailable, "service_unreachable", "the service at "+c.address+" can't be reached")
}

// foreign is the error for an answer that is none of this API.
func (c *Client) foreign(what string) error {
	return fmt.Errorf("what answers at %s is not this service, or another version of it: %s", c.address, what)
}

// refused is the error for an answer to the whole request.
func (c *Client) refused(response *http.Response) error {
	var p wire.Problem
	if err := json.UnmarshalRead(response.Body, &p); err != nil || p.Detail == "" {
		p.Detail = response.Status
	}
	message := fmt.Sprintf("the service at %s answers: %s", c.address, p.Detail)
	if p.RequestID != "" {
		message += " (request " + p.RequestID + ")"
	}
	kind := kindOf(response.StatusCode)
	switch response.StatusCode {
	case http.StatusBadGateway, http.StatusGatewayTimeout: // of what stands in front of it
		kind = fault.Unavailable
	}
	switch kind {
	case fault.Malformed, fault.Invalid, fault.NotAllowed, fault.TooLarge, fault.NotFound:
		// Said of an order, these would be the order's own fault; a whole batch has none.
		kind = fault.Internal
	default:
	}
	f := fault.New(kind, p.Code, message)
	f.RetryAfter = retryAfter(response.Header.Get("Retry-After"))
	return f
}

// retryAfter reads a number of seconds; a date, or nothing, is zero.
func retryAfter(header string) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 16)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}
