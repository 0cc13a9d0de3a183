package s3_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awss3 "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"order-processing-service/internal/application/delivery"
	"order-processing-service/internal/application/wire"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/domain/order"
	"order-processing-service/internal/infrastructure/aws/awstest"
	"order-processing-service/internal/infrastructure/aws/s3"
)

const bucket = "orders-manifest"

// serve starts an S3 with the bucket.
func serve(t *testing.T) (aws.Config, *awss3.Client) {
	t.Helper()
	backend := s3mem.New()
	server := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(server.Close)
	if err := backend.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	c := awstest.Config(server.URL)
	return c, awss3.NewFromConfig(c, func(o *awss3.Options) { o.UsePathStyle = true })
}

func manifest(t *testing.T, client *awss3.Client, id order.ID) (*awss3.GetObjectOutput, string) {
	t.Helper()
	object, err := client.GetObject(t.Context(), &awss3.GetObjectInput{Bucket: aws.String(bucket), Key: aws.String(s3.Key(id))})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Body.Close()
	body, err := io.ReadAll(object.Body)
	if err != nil {
		t.Fatal(err)
	}
	return object, string(body)
}

func TestManifest(t *testing.T) {
	c, client := serve(t)
	manifests := s3.New(s3.Config{AWS: c, Bucket: bucket})
	if err := manifests.Check(t.Context()); err != nil {
		t.Error(err)
	}
	for changes := range 3 { // of the same order
		m := awstest.Message(t, 1, changes)
		if diff := cmp.Diff([]delivery.Result{{Told: len(m.Events)}}, manifests.Deliver(t.Context(), []delivery.Message{m})); diff != "" {
			t.Fatalf("results (-want +got):\n%s", diff)
		}
		object, body := manifest(t, client, m.Order.ID())
		if want := string(wire.AppendOrder(nil, m.Order)); body != want {
			t.Errorf("manifest %s\nwant %s", body, want)
		}
		if aws.ToString(object.ContentType) != "application/json" || object.Metadata["version"] != string(rune('1'+changes)) {
			t.Errorf("content type %s, metadata %v", aws.ToString(object.ContentType), object.Metadata)
		}
	}
}

// The newest version stays, in whatever order versions come and however many write at the same time.
func TestNewestStays(t *testing.T) {
	c, client := serve(t)
	const versions = 6
	var writers sync.WaitGroup
	var newest delivery.Message
	for changes := range versions {
		m := awstest.Message(t, 1, changes)
		newest = m
		writers.Go(func() {
			manifests := s3.New(s3.Config{AWS: c, Bucket: bucket})
			for range 3 {
				r := manifests.Deliver(t.Context(), []delivery.Message{m})[0]
				for r.Err != nil && fault.Of(r.Err).Code == "manifest_contended" { // the others were quicker, time and again
					r = manifests.Deliver(t.Context(), []delivery.Message{m})[0]
				}
				if r.Err != nil {
					t.Errorf("version %d: %v", m.Order.Version(), r.Err)
				}
			}
		})
	}
	writers.Wait()
	if _, body := manifest(t, client, newest.Order.ID()); body != string(wire.AppendOrder(nil, newest.Order)) {
		t.Errorf("manifest %s", body)
	}
	// A late old one changes nothing.
	old := awstest.Message(t, 1, 1)
	if r := s3.New(s3.Config{AWS: c, Bucket: bucket}).Deliver(t.Context(), []delivery.Message{old})[0]; r.Told != 2 || r.Err != nil {
		t.Errorf("result %+v", r)
	}
	if _, body := manifest(t, client, newest.Order.ID()); body != string(wire.AppendOrder(nil, newest.Order)) {
		t.Errorf("manifest %s", body)
	}
}

func TestAway(t *testing.T) {
	c, _ := serve(t)
	for name, manifests := range map[string]*s3.Manifests{
		"bucket that is not there": s3.New(s3.Config{AWS: c, Bucket: "other"}),
		"server that is not there": s3.New(s3.Config{AWS: awstest.Config("http://127.0.0.1:1"), Bucket: bucket}),
	} {
		for changes := range 2 {
			r := manifests.Deliver(t.Context(), []delivery.Message{awstest.Message(t, 1, changes)})[0]
			if r.Told != 0 || fault.KindOf(r.Err) != fault.Unavailable || !strings.Contains(r.Err.Error(), "S3 bucket") {
				t.Errorf("%s: %+v", name, r)
			}
		}
		if err := manifests.Check(t.Context()); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: the check says %v", name, err)
		}
	}
}

// Who may not list a bucket is told 403 of a manifest that is not there.
func TestWithoutListing(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket(bucket); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(backend).Server()
	var asked []http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			if there, err := backend.HeadObject(bucket, strings.TrimPrefix(r.URL.Path, "/"+bucket+"/")); err != nil || there == nil {
				w.WriteHeader(http.StatusForbidden)
				return
			}
		}
		if r.Method == http.MethodPut {
			asked = append(asked, r.Header.Clone())
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	manifests := s3.New(s3.Config{AWS: awstest.Config(server.URL), Bucket: bucket, Encryption: "aws:kms", KMSKeyID: "alias/orders"})
	for _, changes := range []int{2, 3, 0} {
		m := awstest.Message(t, 1, changes)
		if r := manifests.Deliver(t.Context(), []delivery.Message{m})[0]; r.Err != nil || r.Told != len(m.Events) {
			t.Errorf("version %d: %+v", m.Order.Version(), r)
		}
	}
	if h := asked[0]; h.Get("X-Amz-Server-Side-Encryption") != "aws:kms" || h.Get("X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id") != "alias/orders" ||
		h.Get("X-Amz-Checksum-Sha256") == "" {
		t.Errorf("header %v", h)
	}
}
