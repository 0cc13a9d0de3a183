package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// asker makes requests, one at a time.
type asker interface {
	// do sends a request and reads the answer. The body is good until the next call.
	do(request []byte) (status int, body []byte, err error)
	// done tells whether no further request can be made.
	done() bool
	giveUpAt(t time.Time) error
	close()
}

// dialer makes askers.
type dialer func(ctx context.Context, addr string) (asker, error)

func overHTTP1(ctx context.Context, addr string) (asker, error) { return dial(ctx, addr) }

// client is one HTTP/1.1 connection that is kept open. It sends requests that were built beforehand and reads no more of
// an answer than it must, so that it takes little of the processors that it shares with the server. One goroutine uses
// it at a time.
type client struct {
	conn net.Conn
	r    *bufio.Reader
	body []byte
	last bool // the server has said that it closes the connection
}

// maxAnswer is the largest body that a client reads.
const maxAnswer = 64 << 20

var (
	errNoLength = errors.New("the answer has no Content-Length")
	errTooLarge = errors.New("the answer is too large")
)

func dial(ctx context.Context, addr string) (*client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return &client{conn: conn, r: bufio.NewReaderSize(conn, 4<<10)}, nil
}

func (c *client) close() { _ = c.conn.Close() }

func (c *client) done() bool { return c.last }

// giveUpAt has every exchange that is not over by then fail.
func (c *client) giveUpAt(t time.Time) error {
	if err := c.conn.SetDeadline(t); err != nil {
		return fmt.Errorf("set a deadline: %w", err)
	}
	return nil
}

// do sends a request and reads the answer. The body is good until the next call.
func (c *client) do(request []byte) (status int, body []byte, err error) {
	if _, err := c.conn.Write(request); err != nil {
		return 0, nil, fmt.Errorf("send a request: %w", err)
	}
	h, body, err := readAnswer(c.r, c.body[:0])
	c.body, c.last = body, h.last
	if err != nil {
		return 0, nil, fmt.Errorf("read an answer: %w", err)
	}
	return h.status, c.body, nil
}

// head is what comes before the body of an answer.
type head struct {
	status, length int
	last           bool // no answer follows on the connection
}

// readAnswer reads an answer and appends its body to buf. The answer must say its length, as every one of the servers
// measured does.
func readAnswer(r *bufio.Reader, buf []byte) (h head, body []byte, err error) {
	if h, err = readHead(r); err != nil {
		return head{}, buf, err
	}
	buf = grow(buf, h.length)
	if _, err := io.ReadFull(r, buf); err != nil {
		return head{}, buf, fmt.Errorf("body: %w", err)
	}
	return h, buf, nil
}

func readHead(r *bufio.Reader) (h head, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return h, fmt.Errorf("status line: %w", err)
	}
	const version = "HTTP/1.1 "
	if len(line) < len(version)+3 || string(line[:len(version)]) != version {
		return h, fmt.Errorf("status line %q is not of HTTP/1.1", line)
	}
	if h.status, err = strconv.Atoi(string(line[len(version) : len(version)+3])); err != nil {
		return h, fmt.Errorf("status: %w", err)
	}
	h.length = -1
	for {
		if line, err = r.ReadSlice('\n'); err != nil {
			return h, fmt.Errorf("header: %w", err)
		}
		if line = bytes.TrimRight(line, "\r\n"); len(line) == 0 {
			break
		}
		if value, ok := headerField(line, "Content-Length:"); ok {
			if h.length, err = strconv.Atoi(string(value)); err != nil || h.length < 0 {
				return h, fmt.Errorf("header %q: not a length", line)
			}
		} else if value, ok := headerField(line, "Connection:"); ok {
			h.last = bytes.EqualFold(value, []byte("close"))
		}
	}
	switch {
	case h.length < 0:
		return h, errNoLength
	case h.length > maxAnswer:
		return h, errTooLarge
	}
	return h, nil
}

// headerField returns the value of a line of the header if its name, with the colon, is this.
func headerField(line []byte, name string) (value []byte, ok bool) {
	if len(line) < len(name) || !bytes.EqualFold(line[:len(name)], []byte(name)) {
		return nil, false
	}
	return bytes.TrimSpace(line[len(name):]), true
}

// grow returns a slice of n bytes, in buf's place if there is enough.
func grow(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, n)
	}
	return buf[:n]
}

// newRequest builds the bytes of a request; no body is sent when it is empty.
func newRequest(method, target, body string) []byte {
	head := method + " " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	if body != "" {
		head += "Content-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	return []byte(head + "\r\n" + body)
}

// askTimeout bounds one request outside a load.
const askTimeout = time.Minute

// ask makes one request on a connection of its own, and wants status 200.
func ask(ctx context.Context, addr string, request []byte) ([]byte, error) {
	c, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.giveUpAt(time.Now().Add(askTimeout)); err != nil {
		return nil, err
	}
	status, body, err := c.do(request)
	if err != nil {
		return nil, err
	}
	return body, checkStatus(status, 200, body)
}

// checkStatus compares a status with the one that is wanted.
func checkStatus(status, want int, body []byte) error {
	if status == want {
		return nil
	}
	return fmt.Errorf("status %d instead of %d: %.300s", status, want, body)
}
