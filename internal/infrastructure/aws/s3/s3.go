// Package s3 keeps the manifests of orders in an Amazon S3 bucket.
package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	ours "order-processing-service/internal/infrastructure/aws"
)

// Config says where manifests go. AWS and Bucket are needed.
type Config struct {
	AWS    aws.Config
	Bucket string
	// Encryption is what S3 is asked to encrypt with: "AES256", "aws:kms" or "aws:kms:dsse". When it is empty the bucket
	// decides.
	Encryption string
	// KMSKeyID is the key for aws:kms and aws:kms:dsse. When it is empty AWS uses its own.
	KMSKeyID string
}

// Manifests is the subscriber called "manifests". It keeps the newest state of each order as the object {id}.json, with its
// version in the metadata. Writes are conditional: an older version never replaces a newer one, whoever wrote that. It is
// safe for concurrent use.
type Manifests struct {
	client *s3.Client
	c      Config
	target ours.Target
}

var _ delivery.Subscriber = (*Manifests)(nil)

// New returns a keeper of manifests. It asks nobody yet.
func New(c Config) *Manifests {
	return &Manifests{
		client: s3.NewFromConfig(c.AWS, func(o *s3.Options) {
			// A server of one's own rarely has a host name for each bucket.
			o.UsePathStyle = o.BaseEndpoint != nil
		}),
		c: c,
		target: ours.Target{
			Name: fmt.Sprintf("S3 bucket %q", c.Bucket), Setting: "MANIFEST_BUCKET", Action: "s3:PutObject and s3:GetObject",
			AboutMessage: []string{
				"InvalidRequest", "InvalidArgument", "EntityTooLarge", "KeyTooLongError", "MetadataTooLarge", "BadDigest", "InvalidDigest",
			},
		},
	}
}

// Name implements delivery.Subscriber.
func (*Manifests) Name() string { return "manifests" }

// Key is the key of an order's manifest.
func Key(id order.ID) string { return id.String() + ".json" }

// Check reports whether the bucket can be reached and is there, as a fault of kind Unavailable that says what to do. Who
// may not look at the bucket may yet be allowed to write: that is no error.
func (m *Manifests) Check(ctx context.Context) error {
	_, err := m.client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &m.c.Bucket})
	if err != nil && !ours.IsDenied(err) {
		return m.target.Fault(err)
	}
	return nil
}

// maxPuts is how many manifests of one call are written at the same time.
const maxPuts = 16

// Deliver implements delivery.Subscriber: it puts the state of each message's order.
func (m *Manifests) Deliver(ctx context.Context, messages []delivery.Message) []delivery.Result {
	results := make([]delivery.Result, len(messages))
	var puts errgroup.Group
	puts.SetLimit(maxPuts)
	for i := range messages {
		puts.Go(func() error {
			message := &messages[i]
			if results[i].Err = m.keep(ctx, message.Order); results[i].Err == nil {
				results[i].Told = len(message.Events)
			}
			return nil
		})
	}
	_ = puts.Wait() // each has its result
	return results
}

// maxRaces is how often a manifest is tried again that others write at the same time.
const maxRaces = 8

// errRace says that the object is no longer what it was.
var errRace = errors.New("the manifest was written by others meanwhile, again and again")

// keep puts the manifest of an order, unless a newer one is kept already.
func (m *Manifests) keep(ctx context.Context, o *order.Order) error {
	input := m.input(o)
	// Most manifests are the first of their order: those need not be asked for.
	var found kept
	for try := range maxRaces {
		if try > 0 || o.Version() > 1 {
			var err error
			found, err = m.kept(ctx, input.Key)
			// Who may not list the bucket is not told that there is no manifest either.
			if err != nil && (try > 0 || !ours.IsDenied(err)) {
				return m.target.Fault(err)
			}
			if found.version > o.Version() {
				return nil
			}
		}
		input.IfMatch, input.IfNoneMatch = nil, nil
		if found.etag == "" {
			input.IfNoneMatch = aws.String("*")
		} else {
			input.IfMatch = &found.etag
		}
		input.Body = bytes.NewReader(wire.AppendOrder(nil, o))
		_, err := m.client.PutObject(ctx, input)
		if !raced(err) {
			return m.target.Fault(err)
		}
	}
	return fault.Wrap(errRace, fault.Internal, "manifest_contended", m.target.Name)
}

// The names of the metadata of a manifest, without "x-amz-meta-".
const metaVersion = "version"

func (m *Manifests) input(o *order.Order) *s3.PutObjectInput {
	input := &s3.PutObjectInput{
		Bucket: &m.c.Bucket, Key: aws.String(Key(o.ID())),
		ContentType:       aws.String("application/json"),
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
		Metadata:          map[string]string{metaVersion: strconv.Itoa(o.Version())},
	}
	if m.c.Encryption != "" {
		input.ServerSideEncryption = types.ServerSideEncryption(m.c.Encryption)
	}
	if m.c.KMSKeyID != "" {
		input.SSEKMSKeyId = &m.c.KMSKeyID
	}
	return input
}

// kept is the manifest that is there.
type kept struct {
	etag    string // "" when there is none
	version int    // 0 when nobody can say
}

func (m *Manifests) kept(ctx context.Context, key *string) (kept, error) {
	head, err := m.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &m.c.Bucket, Key: key})
	var none *types.NotFound
	var noKey *types.NoSuchKey
	if errors.As(err, &none) || errors.As(err, &noKey) {
		return kept{}, nil // a bucket that is not there is told by the put
	}
	if err != nil {
		return kept{}, err //nolint:wrapcheck // the caller says what it means
	}
	version, _ := strconv.Atoi(head.Metadata[metaVersion]) // somebody else's object has none, and is replaced
	return kept{etag: aws.ToString(head.ETag), version: version}, nil
}

// raced reports whether a conditional put found another object than was expected.
func raced(err error) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	code := api.ErrorCode()
	// NoSuchKey: the object that was to be replaced is gone.
	return code == "PreconditionFailed" || code == "ConditionalRequestConflict" || code == "NoSuchKey"
}
