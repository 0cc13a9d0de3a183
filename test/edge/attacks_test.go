package edge_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"order-processing-service/test/program"
)

// answers says that the service answers somebody who comes new, from an address.
func answers(t *testing.T, p *program.Program, from string) {
	t.Helper()
	conn := dial(t, p, from, "GET /orders HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
	if response, body := read(t, bufio.NewReader(conn)); response.StatusCode != http.StatusOK {
		t.Errorf("the service answers others with %s: %s", response.Status, body)
	}
}

// isOpen tells whether the other end has kept a connection open on which it sends nothing.
func isOpen(t *testing.T, conn net.Conn) bool {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	_, err := conn.Read(make([]byte, 1))
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// TestSlowSenders has a hundred clients send a little now and then. Each is cut off when its time is up, however it goes on, and
// others are answered meanwhile.
func TestSlowSenders(t *testing.T) {
	const head = "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
	p := program.Start(t, t.TempDir(), settings{"READ_HEADER_TIMEOUT": "2s", "READ_TIMEOUT": "2s"})
	var all sync.WaitGroup
	for i := range 100 {
		begin, more := head, "X: y\r\n" // a header that never ends
		switch i % 3 {
		case 1:
			begin, more = head+"Content-Length: 1000\r\n\r\n", " "
		case 2:
			begin, more = head+"Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n"
		}
		conn := dial(t, p, "", begin)
		all.Go(func() {
			cut := make(chan struct{})
			go func() {
				defer close(cut)
				_, _ = io.Copy(io.Discard, conn)
			}()
			pause := time.NewTicker(50 * time.Millisecond)
			defer pause.Stop()
			for begun := time.Now(); ; {
				select {
				case <-cut:
					return
				case <-pause.C:
					_, _ = io.WriteString(conn, more)
				}
				if time.Since(begun) > patience/2 {
					t.Errorf("after %q nobody cuts it off", begin)
					return
				}
			}
		})
	}
	answers(t, p, "")
	all.Wait()
	answers(t, p, "")
}

// TestEndlessHeaderAndBody are answered as soon as they are too much.
func TestEndlessHeaderAndBody(t *testing.T) {
	p := program.Start(t, t.TempDir(), nil)
	for begin, more := range map[string]string{
		"POST /orders HTTP/1.1\r\nHost: a\r\n":                                                              "X: " + strings.Repeat("y", 1000) + "\r\n",
		"POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n":                            "400\r\n" + strings.Repeat(" ", 1024) + "\r\n",
		"POST /orders HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("x", 9): strings.Repeat("x", 1000),
	} {
		conn := dial(t, p, "", begin)
		sent := make(chan int64, 1)
		go func() {
			n, err := int64(0), error(nil)
			for err == nil && n < 1<<30 {
				var part int
				part, err = io.WriteString(conn, more)
				n += int64(part)
			}
			sent <- n
		}()
		response, body := read(t, bufio.NewReader(conn))
		if s := response.StatusCode; s != http.StatusRequestEntityTooLarge && s != http.StatusRequestHeaderFieldsTooLarge && s != http.StatusBadRequest {
			t.Errorf("%q is answered with %s %s", begin, response.Status, body)
		}
		conn.Close()
		if n := <-sent; n > 32<<20 { // what both ends keep on its way, and more
			t.Errorf("%q: %d bytes were taken", begin, n)
		}
	}
	answers(t, p, "")
}

// TestIdleConnections opens many more connections than there may be: they give way to those who come next.
func TestIdleConnections(t *testing.T) {
	const most, opened = 400, 2000
	p := program.Start(t, t.TempDir(), settings{"MAX_CONNECTIONS": strconv.Itoa(most), "READ_HEADER_TIMEOUT": "1m", "READ_TIMEOUT": "1m"})
	conns := make([]net.Conn, 0, opened)
	for range opened {
		conns = append(conns, dial(t, p, "", ""))
	}
	answers(t, p, "")
	await(t, p, "too many connections")
	open := opened
	for limit := time.Now().Add(patience); open > most && time.Now().Before(limit); { // a closed one is gone once its reader has seen it
		open = 0
		for _, conn := range conns {
			if isOpen(t, conn) {
				open++
			}
		}
	}
	if open > most || open < most/2 {
		t.Errorf("%d of %d idle connections are open, %d may be", open, opened, most)
	}
	answers(t, p, "")
}

// TestConnectionsOfOneAddress has an address use all that it may: it gets no more, and others are not harmed.
func TestConnectionsOfOneAddress(t *testing.T) {
	const greedy, proxy = "127.0.0.2", "127.0.0.3"
	if conn, err := net.Listen("tcp", greedy+":0"); err != nil { //nolint:noctx // it is closed at once
		t.Skip("this machine has one loopback address only")
	} else {
		conn.Close()
	}
	p := program.Start(t, t.TempDir(), settings{
		"MAX_CONNECTIONS_PER_ADDRESS": "5", "TRUSTED_PROXIES": proxy, "READ_HEADER_TIMEOUT": "1m", "READ_TIMEOUT": "1m",
	})
	const underWay = "POST /orders HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n" // waits for its body
	use := func(from string, times int) (refused int) {
		for range times {
			conn := dial(t, p, from, "")
			_, _ = io.WriteString(conn, underWay) // which may be refused already
			if first, err := bufio.NewReader(conn).ReadString('\n'); err != nil || !strings.Contains(first, "100 Continue") {
				refused++
			}
		}
		return refused
	}
	if n := use(greedy, 8); n != 3 {
		t.Errorf("%d of 8 connections in use were refused, 5 may be", n)
	}
	if n := use(proxy, 8); n != 0 {
		t.Errorf("%d connections of a trusted proxy were refused", n)
	}
	answers(t, p, "127.0.0.1")
	for range 10 { // idle ones of the same address give way to it
		dial(t, p, "127.0.0.1", "")
	}
	answers(t, p, "127.0.0.1")
}

// TestSmuggling sends requests that two programs in a row could part differently. After none of them is what follows read as a
// request.
func TestSmuggling(t *testing.T) {
	const (
		post    = "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
		hidden  = "GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n"
		chunked = "0\r\n\r\n" + hidden
	)
	p := program.Start(t, t.TempDir(), nil)
	for name, text := range map[string]string{
		"two lengths":                  post + "Content-Length: 4\r\nContent-Length: 40\r\n\r\n{}  " + hidden,
		"two lengths in one":           post + "Content-Length: 4, 40\r\n\r\n{}  " + hidden,
		"a length with a sign":         post + "Content-Length: +4\r\n\r\n{}  " + hidden,
		"a length in hexadecimal":      post + "Content-Length: 0x4\r\n\r\n{}  " + hidden,
		"length and chunks":            post + "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
		"chunks and length":            post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + chunked,
		"chunks twice":                 post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked,
		"chunks and another":           post + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunked,
		"chunks in disguise":           post + "Transfer-Encoding: xchunked\r\n\r\n" + chunked,
		"a space before a colon":       post + "Transfer-Encoding : chunked\r\n\r\n" + chunked,
		"a tab before chunked":         post + "Transfer-Encoding:\tchunked\r\nContent-Length: 4\r\n\r\n" + chunked,
		"a folded header":              post + "Transfer-Encoding:\r\n chunked\r\nContent-Length: 4\r\n\r\n" + chunked,
		"a length that is folded":      post + "Content-Length:\r\n 4\r\nContent-Length: 40\r\n\r\n{}  " + hidden,
		"a NUL in a header":            post + "X: a\x00b\r\nContent-Length: 2\r\n\r\n{}" + hidden,
		"a return in a header":         post + "X: a\rContent-Length: 0\r\nContent-Length: 2\r\n\r\n{}" + hidden,
		"chunks in HTTP/1.0":           "POST /orders HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{}  " + hidden,
		"chunks in lasting HTTP/1.0":   "POST /orders HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n{}  " + hidden,
		"disguise in lasting HTTP/1.0": "POST /orders HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\nTransfer-Encoding: xchunked\r\n\r\n" + hidden,
		"a chunk of wrong size":        post + "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n" + chunked,
		"a chunk without size":         post + "Transfer-Encoding: chunked\r\n\r\n\r\n{}\r\n" + chunked,
		"a huge chunk":                 post + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n" + chunked,
		"two hosts":                    "POST /orders HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 2\r\n\r\n{}" + hidden,
	} {
		conn := dial(t, p, "", text)
		from := bufio.NewReader(conn)
		first, body := read(t, from)
		if first.StatusCode < 400 || first.StatusCode == http.StatusInternalServerError || first.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %s %s", name, first.Status, body)
		}
		if rest, err := io.ReadAll(from); err == nil && len(rest) > 0 {
			t.Errorf("%s: what was hidden is answered: %q", name, rest)
		}
	}
	// Both requests of two that are whole are answered.
	from := bufio.NewReader(dial(t, p, "", post+"Content-Length: 2\r\n\r\n{}"+hidden))
	if first, _ := read(t, from); first.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the first: %s", first.Status)
	}
	if second, _ := read(t, from); second.StatusCode != http.StatusNotFound {
		t.Errorf("the second: %s", second.Status)
	}
}

// TestCompressedBodies are refused before anything of them is unpacked.
func TestCompressedBodies(t *testing.T) {
	var bomb bytes.Buffer
	pack := gzip.NewWriter(&bomb)
	for range 64 {
		if _, err := pack.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := pack.Close(); err != nil {
		t.Fatal(err)
	}
	p := program.Start(t, t.TempDir(), nil)
	for _, encoding := range []string{"gzip", "deflate", "br", "zstd", "gzip, gzip"} {
		text := fmt.Sprintf("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s",
			encoding, bomb.Len(), bomb.String())
		response, body := read(t, bufio.NewReader(dial(t, p, "", text)))
		if response.StatusCode != http.StatusUnsupportedMediaType || !strings.Contains(body, "content_encoding_unsupported") {
			t.Errorf("%s: %s %s", encoding, response.Status, body)
		}
	}
	// Said to be no bomb it is no JSON either.
	text := fmt.Sprintf("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s", bomb.Len(), bomb.String())
	if response, body := read(t, bufio.NewReader(dial(t, p, "", text))); response.StatusCode != http.StatusBadRequest {
		t.Errorf("without a word of it: %s %s", response.Status, body)
	}
}

// TestChunkedBodies are taken, each as the last on its connection.
func TestChunkedBodies(t *testing.T) {
	p := program.Start(t, t.TempDir(), nil)
	conn := dial(t, p, "", fmt.Sprintf("POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"+
		"%x\r\n%s\r\n0\r\n\r\n", len(order), order))
	from := bufio.NewReader(conn)
	if response, body := read(t, from); response.StatusCode != http.StatusCreated || !response.Close {
		t.Errorf("%s, closes %v: %s", response.Status, response.Close, body)
	}
	if n := ended(t, conn); n != 0 {
		t.Errorf("%d bytes more", n)
	}
}
