package main

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAnswersAreReadOneAfterTheOther(t *testing.T) {
	stream := "HTTP/1.1 201 Created\r\nEtag: \"1\"\r\ncontent-length: 5\r\n\r\nfirst" +
		"HTTP/1.1 304 Not Modified\r\nContent-Length:0\r\n\r\n" +
		"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nDate: today\r\nConnection: close\r\n\r\nsecond"
	for name, r := range map[string]io.Reader{
		"at once":      strings.NewReader(stream),
		"byte by byte": iotest.OneByteReader(strings.NewReader(stream)),
	} {
		t.Run(name, func(t *testing.T) {
			in, buf := bufio.NewReader(r), []byte(nil)
			for _, want := range []struct {
				status int
				body   string
				last   bool
			}{{201, "first", false}, {304, "", false}, {200, "second", true}} {
				got, body, err := readAnswer(in, buf[:0])
				if err != nil || got.status != want.status || string(body) != want.body || got.last != want.last {
					t.Fatalf("got %v %q, %v; want %v", got, body, err, want)
				}
				buf = body
			}
			if _, _, err := readAnswer(in, buf); !errors.Is(err, io.EOF) {
				t.Errorf("after the last answer: %v, want the end", err)
			}
		})
	}
}

func TestAnswersThatAreWrong(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		want   error // nil: any
	}{
		"another version":  {"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", nil},
		"short":            {"HTTP/1.1 2\n", nil},
		"no status":        {"HTTP/1.1 abc\r\nContent-Length: 0\r\n\r\n", nil},
		"no length":        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", errNoLength},
		"negative length":  {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", nil},
		"length of words":  {"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n", nil},
		"too large":        {"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", errTooLarge},
		"cut in the head":  {"HTTP/1.1 200 OK\r\nContent-Le", io.EOF},
		"cut in the body":  {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody", io.ErrUnexpectedEOF},
		"endless header":   {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 8<<10), bufio.ErrBufferFull},
		"nothing whatever": {"", io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := readAnswer(bufio.NewReader(strings.NewReader(test.answer)), nil)
			if err == nil || test.want != nil && !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}

func TestRequest(t *testing.T) {
	const want = "POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
	if got := string(newRequest("POST", "/orders", "{}")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	const bodiless = "GET /orders HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	if got := string(newRequest("GET", "/orders", "")); got != bodiless {
		t.Errorf("got %q, want %q", got, bodiless)
	}
}
