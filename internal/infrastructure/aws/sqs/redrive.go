package sqs

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/domain/fault"
)

const (
	// letterHide is how long a dead letter that is looked at is hidden from other readers, if the look is cut off.
	letterHide = time.Minute
	// letterWait is how long an empty dead-letter queue is waited for. SQS then asks all its servers.
	letterWait = time.Second
	// maxLook is about how many letters one look sees; SQS lets no more be in hand.
	maxLook = 120_000
	// giveBackTimeout bounds giving back what was looked at.
	giveBackTimeout = 15 * time.Second
)

// Letter is a message that was set aside.
type Letter struct {
	receiving.Message        // ID is the one that it had at first
	LetterID          string // in the dead-letter queue
	// Reason is why it was set aside; zero if SQS did that, because it had been received too often.
	Reason receiving.Reason
}

// letter is one in hand.
type letter struct {
	Letter
	receipt string
}

// List returns dead letters, most at most, and whether there are more. They are hidden from other readers while it looks.
// Of a FIFO queue only the first ones of each group may be seen.
func (d *DeadLetters) List(ctx context.Context, most int) (list []Letter, more bool, err error) {
	err = d.look(ctx, func(l *letter) (taken, goOn bool, err error) {
		if len(list) == most {
			more = true
			return false, false, nil
		}
		list = append(list, l.Letter)
		return false, true, nil
	})
	return list, more, err
}

// Redrive says which dead letters are to be sent again.
type Redrive struct {
	// QueueURL is the queue to send them to.
	QueueURL string
	// IDs are those of the letters, in either queue; none for all.
	IDs []string
	// Most is how many are sent at most.
	Most int
	// DryRun only counts them.
	DryRun bool
}

// Redriven says what has become of a Redrive.
type Redriven struct {
	Sent   int // or to be sent, in a dry run
	Failed int // refused by the queue, and left where they were
	Kept   int // sent, but still among the dead letters too, because they could not be deleted there
}

// Redrive sends dead letters to the queue again, each with the id that it had at first and in its FIFO group. A letter is
// deleted when the queue has it, never before. A message is sent once in a call: if it comes back to the dead letters
// meanwhile it is left there, so that the call ends. An error is returned beside what was done till then.
func (d *DeadLetters) Redrive(ctx context.Context, r Redrive) (done Redriven, err error) {
	sent := map[string]bool{}   // by the id that it had at first; no clock, as that of SQS may be ahead of this one
	broken := map[string]bool{} // groups of which one could not be sent: the later ones must not overtake it
	wanted := func(l *letter) bool {
		return (len(r.IDs) == 0 || slices.Contains(r.IDs, l.ID) || slices.Contains(r.IDs, l.LetterID)) &&
			!sent[l.ID] && !broken[l.Group]
	}
	err = d.look(ctx, func(l *letter) (taken, goOn bool, err error) {
		switch {
		case done.Sent+done.Failed >= r.Most:
			return false, false, nil
		case !wanted(l):
			return false, true, nil
		case r.DryRun:
			done.Sent++
			return false, true, nil
		}
		if err := d.resend(ctx, r.QueueURL, l); err != nil {
			if fault.KindOf(err) == fault.Unavailable || ctx.Err() != nil {
				return false, false, err // it would be the same for the rest
			}
			done.Failed++
			if l.Group != "" {
				broken[l.Group] = true
			}
			return false, true, nil
		}
		done.Sent++
		sent[l.ID] = true
		url, _ := d.where(ctx) // it is known
		if deleteAll(ctx, d.client, deadLettersAt(url, "sqs:DeleteMessage"), url, []string{l.receipt})[0] != nil {
			done.Kept++
		}
		return true, len(r.IDs) == 0 || done.Sent+done.Failed < len(r.IDs), nil
	})
	return done, err
}

// resend sends a dead letter to the queue that it came from.
func (d *DeadLetters) resend(ctx context.Context, url string, l *letter) error {
	input := &sqs.SendMessageInput{
		QueueUrl: &url, MessageBody: aws.String(string(l.Body)), MessageAttributes: attributes(receiving.OriginalIDAttribute, l.ID),
		MessageSystemAttributes: traceAttribute(l.Trace),
	}
	if isFIFO(url) {
		// The id that it had at first may be one that the queue has seen in the last minutes.
		input.MessageGroupId, input.MessageDeduplicationId = aws.String(groupID(cmp.Or(l.Group, l.ID))), aws.String("redrive-"+l.LetterID)
	}
	_, err := d.client.SendMessage(ctx, input)
	return commandsAt(url, "sqs:SendMessage").Fault(err)
}

// look receives dead letters one after the other and calls see with each, until there are none, see does not want to go on,
// or see fails, which must not go on then. Those that it has not taken are given back in the end.
func (d *DeadLetters) look(ctx context.Context, see func(*letter) (taken, goOn bool, err error)) error {
	url, err := d.where(ctx)
	if err != nil {
		return err
	}
	var back []receiving.Hidden
	defer func() { d.giveBack(ctx, url, back) }()
	seen := map[string]bool{}
	for goOn := true; ; {
		messages, err := receive(ctx, d.client, url, receiving.MaxReceive, letterHide, letterWait)
		if err != nil {
			return deadLettersAt(url, "sqs:ReceiveMessage").Fault(err)
		}
		fresh := false // else the look takes so long that it has come to the beginning
		for i := range messages {
			l := readLetter(&messages[i])
			taken := false
			if goOn && !seen[l.LetterID] {
				fresh, seen[l.LetterID] = true, true
				taken, goOn, err = see(&l)
			}
			if !taken {
				back = append(back, receiving.Hidden{Receipt: l.receipt})
			}
		}
		if !goOn || !fresh || len(seen) >= maxLook {
			return err
		}
	}
}

// giveBack has letters be there for everybody again. Which can't be given back is, in a minute.
func (d *DeadLetters) giveBack(ctx context.Context, url string, letters []receiving.Hidden) {
	ctx, done := context.WithTimeout(context.WithoutCancel(ctx), giveBackTimeout)
	defer done()
	for part := range slices.Chunk(letters, receiving.MaxReceive) {
		_ = hideAll(ctx, d.client, deadLettersAt(url, "sqs:ChangeMessageVisibility"), url, part)
	}
}

func readLetter(m *types.Message) letter {
	l := letter{receipt: aws.ToString(m.ReceiptHandle)}
	l.Message, l.LetterID = message(m, true), aws.ToString(m.MessageId)
	l.Group = cmp.Or(stringAttribute(m, groupName), l.Group)
	l.Reason = receiving.Reason{Code: stringAttribute(m, reasonCodeName), Text: stringAttribute(m, reasonTextName)}
	return l
}
