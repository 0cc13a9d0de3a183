package bootstrap

import (
	awssdk "github.com/aws/aws-sdk-go-v2/aws"

	"order-processing-service/internal/application/receiving"
	"order-processing-service/internal/infrastructure/aws/sqs"
)

// commands applies commands, from whichever way they come in, and sets aside in AWS what can't be applied. Without a queue
// to set it aside in, such a message is answered with an error each time.
func (p *core) commands(account awssdk.Config) *receiving.Service {
	c := p.config
	settings := receiving.Config{
		Orders: p.useCases, Now: p.store.now, Log: p.log, EarlyFor: c.CommandsEarlyFor, EarlyReceives: c.CommandsEarlyReceives,
	}
	if c.CommandsDeadLetterQueueURL != "" || c.CommandsQueueURL != "" {
		settings.DeadLetters = sqs.NewDeadLetters(sqs.DeadLettersConfig{
			AWS: account, URL: c.CommandsDeadLetterQueueURL, QueueURL: c.CommandsQueueURL,
		})
	}
	return receiving.New(settings)
}
