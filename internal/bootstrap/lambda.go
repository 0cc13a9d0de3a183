package bootstrap

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/domain/fault"
	"order-processing-service/internal/interfaces/lambdafn"
)

// Arguments are those that the program was started with. In AWS Lambda a program without any is the service.
func Arguments(given []string) []string {
	if len(given) == 0 && os.Getenv(lambdafn.RuntimeVariable) != "" {
		return []string{"serve"}
	}
	return given
}

// lambdaStop is how long a stop may take in all: Lambda kills the process half a second after it asks for one.
const lambdaStop = 400 * time.Millisecond

// serveLambda is the work behind the serve command in AWS Lambda, whose Runtime API is at the given address.
func serveLambda(ctx context.Context, api string, out io.Writer, overrides map[string]string) error {
	f, err := openFunction(ctx, out, overrides)
	if err != nil {
		return errors.Join(err, lambdafn.ReportInitError(ctx, api, err))
	}
	f.startOnDemand(ctx)
	f.entry.Serve(ctx, lambdaStop/2)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), lambdaStop/2)
	defer cancel()
	return f.close(stopping)
}

// function is the program in AWS Lambda.
type function struct {
	*core

	entry *lambdafn.Function
	woken atomic.Bool // an operator has made deliveries due

	refreshed atomic.Int64 // when settings were last looked for, in Unix nanoseconds
}

// openFunction makes the program for AWS Lambda. The error says in one line what to do.
func openFunction(ctx context.Context, out io.Writer, overrides map[string]string) (*function, error) {
	c, err := load(ctx, overrides)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(refuseLostOrders(c), refuseUnsafe(c, true)); err != nil {
		return nil, err
	}
	limitMemory()
	f := new(function)
	f.refreshed.Store(time.Now().UnixNano())
	if f.core, err = openCore(ctx, c, &inTurn{w: out}, true); err != nil {
		return nil, err
	}
	if err := f.openIdentity(ctx); err != nil {
		return nil, errors.Join(err, f.close(ctx))
	}
	slog.SetDefault(f.log) // what the library of AWS says goes to the log too
	for _, warning := range c.Warnings() {
		f.log.WarnContext(ctx, "setting is not used", "hint", warning)
	}
	for _, warning := range lambdaWarnings(c) {
		f.log.WarnContext(ctx, "setting looks wrong in Lambda", "hint", warning)
	}
	f.entry = lambdafn.New(lambdafn.Config{
		API:    f.apiThatWakes(f.log, func() { f.woken.Store(true) }), //nolint:contextcheck // an exchange has that of its request
		Before: f.refresh, After: f.after, Teller: f, Receiver: f.receiver(ctx), Log: f.log, BasePath: c.BasePath, Concurrency: c.CommandsConcurrency,
	})
	return f, nil
}

// refreshTimeout bounds the look for changed settings, for which an invocation waits.
const refreshTimeout = 2 * time.Second

// refresh looks for changed settings before an invocation if the last look is SECRETS_REFRESH ago. There is no ticker for it,
// as that would go off in the middle of a freeze.
func (f *function) refresh(ctx context.Context) {
	last, now := f.refreshed.Load(), time.Now().UnixNano()
	every := f.config.SecretsRefresh
	if f.store.renew == nil || every <= 0 || now-last < int64(every) || !f.refreshed.CompareAndSwap(last, now) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	_ = f.store.renew(ctx) // what goes wrong is its own to tell
}

// receiver applies commands. It is made with the first one: most functions have none, and need not wait for it at their
// start.
func (f *function) receiver(ctx context.Context) lambdafn.Receiver {
	made := sync.OnceValues(func() (*receiving.Service, error) {
		account, err := awsAccount(context.WithoutCancel(ctx), f.log, f.tracer)
		if err != nil {
			return nil, err
		}
		received := f.commands(account)
		f.metrics.ObserveCommands(received.Counts)
		return received, nil
	})
	return receiver(f.tracer.Receiver(func(ctx context.Context, m receiving.Message) error {
		s, err := made()
		if err != nil {
			return err
		}
		return s.Receive(ctx, m)
	}))
}

// receiver is a function that receives messages.
type receiver func(ctx context.Context, m receiving.Message) error

// Receive implements lambdafn.Receiver.
func (r receiver) Receive(ctx context.Context, m receiving.Message) error { return r(ctx, m) }

// Flush implements lambdafn.Teller. What an operator made due is told at once, as on a server.
func (f *function) Flush(ctx context.Context) (left int) {
	if !f.woken.Swap(false) {
		return f.dispatcher.Flush(ctx)
	}
	left, err := f.dispatcher.Drain(ctx)
	if err != nil && ctx.Err() == nil {
		f.log.WarnContext(ctx, "What was made due can't be claimed; the sweep tells it", "error", err)
	}
	return left
}

// Drain implements lambdafn.Teller.
func (f *function) Drain(ctx context.Context) (left int, err error) {
	left, err = f.dispatcher.Drain(ctx)
	f.metrics.ReadBacklog(ctx) // once in a while is enough, and every instance would say the same
	return left, err
}

// refuseLostOrders keeps orders from where they would be lost without anybody having said so.
func refuseLostOrders(c *config.Config) error {
	if c.UsesMongoDB() || dataDirIsSet(c) {
		return nil
	}
	return fault.New(fault.Invalid, "store_missing", "no store is named, and the files of a Lambda function are lost with each of its "+
		"instances; set MONGO_URI or MONGO_HOST, or set DATA_DIR to a folder on a mounted file system")
}

func dataDirIsSet(c *config.Config) bool {
	for _, s := range c.Settings() {
		if s.Name == "DATA_DIR" {
			return s.Source != "default"
		}
	}
	return false
}

// lambdaWarnings lists what may be right elsewhere and is hardly meant in Lambda.
func lambdaWarnings(c *config.Config) []string {
	var list []string
	dir, err := filepath.Abs(c.DataDir)
	isTemporary := err == nil && (dir == "/tmp" || strings.HasPrefix(dir, "/tmp/"))
	switch {
	case !c.UsesMongoDB() && isTemporary:
		list = append(list, "DATA_DIR lies under /tmp, which is lost with each instance of the function, and the orders in it; set MONGO_URI or MONGO_HOST")
	case c.Manifests == toSimulated && (isTemporary || !dataDirIsSet(c)):
		list = append(list, "MANIFESTS=simulated keeps files where nobody reads them; set MANIFESTS=s3, or MANIFESTS=none")
	}
	return list
}

// memoryShare is how much of the function's memory the heap may take before it is collected more often.
const memoryShare = 0.75

// limitMemory has memory collected as seldom as on a server while there is enough of it.
func limitMemory() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	megabytes, err := strconv.Atoi(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	if err != nil || megabytes <= 0 {
		return
	}
	debug.SetGCPercent(gcPercent)
	debug.SetMemoryLimit(int64(float64(megabytes<<20) * memoryShare))
}
