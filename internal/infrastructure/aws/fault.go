package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/smithy-go"

	"order-processing-service/internal/domain/fault"
)

// Target is what a call is for, as an operator knows it.
type Target struct {
	// Name is what and which: `EventBridge bus "orders-bus"`.
	Name string
	// Setting is the variable that names it.
	Setting string
	// Action is what the role must be allowed to do: "events:PutEvents".
	Action string
	// AboutMessage are the codes by which the service says that what was sent is wrong. Any other error of a whole call is
	// taken to be the service's: its events wait.
	AboutMessage []string
}

// Fault says what an error of a whole call means for the orders that it was for. One that is about what was sent is
// returned with its words, and counts as a try. Everything else, a bus that does not exist or credentials that are refused
// among it, is no order's fault: it becomes a fault of kind Unavailable that says what to do.
func (t Target) Fault(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", t.Name, err)
	}
	if known, ok := errors.AsType[*fault.Error](err); ok {
		return known // of Load's credentials
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fault.Wrap(err, fault.Unavailable, "aws_unreachable", t.Name+" can't be reached")
	}
	code := api.ErrorCode()
	switch {
	case slices.Contains(t.AboutMessage, code):
		return fmt.Errorf("%s refuses what it was sent: %s: %s", t.Name, code, api.ErrorMessage())
	case IsMissing(err):
		return fault.Wrap(err, fault.Unavailable, "aws_target_missing", t.Name+" does not exist; create it, or correct "+t.Setting)
	case IsDenied(err):
		return fault.Wrap(err, fault.Unavailable, "aws_access_denied", t.Name+" refuses access; allow "+t.Action+" to the credentials in use")
	case slices.Contains(badCredentials(), code):
		return fault.Wrap(err, fault.Unavailable, "aws_credentials_refused", "AWS does not take the credentials in use; give it others")
	case IsThrottle(code):
		return fault.Wrap(err, fault.Unavailable, "aws_throttled", t.Name+" takes no more at the moment")
	default:
		return fault.Wrap(err, fault.Unavailable, "aws_failed", t.Name+" failed")
	}
}

// Refused says what it means that an entry of a call was not taken, while others may have been.
func (t Target) Refused(code, message string) error {
	err := fmt.Errorf("%s did not take an entry: %s: %s", t.Name, code, message)
	if IsThrottle(code) {
		return fault.Wrap(err, fault.Unavailable, "aws_throttled", t.Name+" takes no more at the moment")
	}
	return err
}

// IsMissing reports whether err says that there is no such bus, queue or bucket.
func IsMissing(err error) bool {
	return hasCode(err, "ResourceNotFoundException", "NoSuchBucket", "NotFound",
		"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
}

// IsDenied reports whether err says that the credentials are good but not for this.
func IsDenied(err error) bool {
	return hasCode(err, "AccessDenied", "AccessDeniedException", "Forbidden", "AuthorizationError", "NotAuthorized",
		"KMSAccessDeniedException", "KmsAccessDenied")
}

// IsThrottle reports whether a code, of a call or of an entry, says that too much was asked.
func IsThrottle(code string) bool {
	return slices.Contains([]string{
		"ThrottlingException", "Throttling", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "ServiceUnavailable", "LimitExceededException",
		"KmsThrottled", "OverLimit",
	}, code)
}

func badCredentials() []string {
	return []string{
		"UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch",
		"ExpiredToken", "ExpiredTokenException", "InvalidSecurity", "MissingAuthenticationToken", "AuthFailure", "InvalidToken",
		"IncompleteSignature", "RequestExpired", "InvalidSignatureException",
	}
}

func hasCode(err error, codes ...string) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && slices.Contains(codes, api.ErrorCode())
}
