package bootstrap

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"order-processing-service/internal/bootstrap/config"
	"order-processing-service/internal/infrastructure/aws"
	"order-processing-service/internal/infrastructure/aws/secretsmanager"
	"order-processing-service/internal/infrastructure/store/mongo"
	"order-processing-service/internal/interfaces/cli"
)

// Load reads the settings, and the secrets in AWS that they name; without any AWS is not touched. A wrong setting is a usage
// error. A secret that can't be read is an error of its own, even if the settings would do without it: nobody named it for
// nothing. No error shows a value.
func Load(ctx context.Context, src config.Source) (*config.Config, error) {
	var unread error
	src.ValidCurrency = knownCurrency
	src.Secrets = func(ids []string) (texts []string, err error) {
		var reader *secretsmanager.Reader
		if reader, unread = secretsReader(ctx, slog.New(slog.DiscardHandler)); unread == nil {
			texts, unread = reader.Read(ctx, ids)
		}
		return texts, unread
	}
	c, err := config.Load(src)
	switch {
	case unread != nil:
		return nil, unread
	case err != nil:
		return nil, cli.UsageError{Err: err}
	default:
		return c, nil
	}
}

func secretsReader(ctx context.Context, log *slog.Logger) (*secretsmanager.Reader, error) {
	account, err := aws.Load(ctx, ServiceName, log)
	if err != nil {
		return nil, err
	}
	return secretsmanager.New(secretsmanager.Config{AWS: account}), nil
}

// rereader reads the settings again while the program runs: the secrets, and the files that NAME_FILE names. It is safe for
// concurrent use.
type rereader struct {
	log *slog.Logger

	mu      sync.Mutex
	last    *config.Config         // as read last; guarded by mu
	secrets *secretsmanager.Reader // once there was something to read; guarded by mu
}

// newRereader begins with the settings that the program started with. The log is told by name of what has changed without
// taking effect; nil for nobody.
func newRereader(c *config.Config, log *slog.Logger) *rereader {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &rereader{log: log, last: c}
}

// whileRunning are the settings that take effect without a restart: where MongoDB is, and who signs in.
func whileRunning() []string {
	return []string{
		"MONGO_URI", "MONGO_HOST", "MONGO_PORT", "MONGO_USER", "MONGO_PASSWORD", "MONGO_AUTH_SOURCE", "MONGO_TLS", "MONGO_TLS_CA_FILE",
		"MONGO_MAX_POOL_SIZE",
	}
}

// read reads the settings again.
func (r *rereader) read(ctx context.Context) (*config.Config, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.last.Reload(func(ids []string) (_ []string, err error) {
		if r.secrets == nil {
			if r.secrets, err = secretsReader(ctx, r.log); err != nil {
				return nil, err
			}
		}
		return r.secrets.Read(ctx, ids)
	})
	if err != nil {
		return nil, err
	}
	waiting := slices.DeleteFunc(c.Differences(r.last), func(name string) bool { return slices.Contains(whileRunning(), name) })
	if len(waiting) > 0 {
		r.log.WarnContext(ctx, "settings have changed that take effect at the next start", "settings", strings.Join(waiting, ", "))
	}
	r.last = c
	return c, nil
}

// look reads the settings again for what it tells the log.
func (r *rereader) look(ctx context.Context) error {
	_, err := r.read(ctx)
	if err != nil {
		r.log.WarnContext(ctx, "settings can't be read again; those in use stay", "error", err)
	}
	return err
}

// server is where the settings say now that MongoDB is, and who signs in.
func (r *rereader) server(ctx context.Context) (mongo.Server, error) {
	c, err := r.read(ctx)
	if err != nil {
		return mongo.Server{}, err
	}
	return mongoServer(c), nil
}

// refresh has renew called every so often until ctx ends. What goes wrong is renew's to tell.
func refresh(ctx context.Context, every time.Duration, renew func(context.Context) error) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = renew(ctx)
		case <-ctx.Done():
			return
		}
	}
}
