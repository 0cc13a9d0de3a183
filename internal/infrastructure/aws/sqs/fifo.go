package sqs

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"order-processing-service/internal/application/receiving"
)

// maxGroup is the most bytes that the id of a message group may have.
const maxGroup = 128

// isFIFO reports whether the queue with the URL keeps its messages in order.
func isFIFO(url string) bool { return strings.HasSuffix(url, ".fifo") }

// groupID is the text as the id of a message group: as it is if SQS takes it so, else its hash. The text may be what any
// sender made up.
func groupID(text string) string {
	refused := func(r rune) bool { return r < '!' || r > '~' }
	if text != "" && len(text) <= maxGroup && !strings.ContainsFunc(text, refused) {
		return text
	}
	return hash(text)
}

// sendingID is the deduplication id by which a message is set aside. It is the same each time that one sending of the
// message is received, so that it is set aside once. It is another one when the message was sent again: SQS would
// acknowledge an id of the last five minutes and keep nothing, even when that dead letter is gone.
func sendingID(m *receiving.Message) string {
	return hash(m.ID, strconv.FormatInt(m.SentAt.UnixMilli(), 10), string(m.Body))
}

// hash is a text of 64 characters that stands for the parts.
func hash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return hex.EncodeToString(h.Sum(nil))
}
