#!/usr/bin/env bash
# Makes or updates the stack of deploy/sam/template.yaml, and says where the API is.
#
#   deploy/sam/deploy.sh STACK IMAGE [PARAMETER=VALUE...]
#
# IMAGE is for linux/arm64, in an ECR repository of the account and region that the AWS CLI uses. Parameters that were given
# once stay as they were. CloudFormation itself carries out the template's SAM parts; the SAM CLI is not needed.
set -euo pipefail

if [ $# -lt 2 ]; then
	echo "usage: deploy/sam/deploy.sh STACK IMAGE [PARAMETER=VALUE...]" >&2
	exit 2
fi
stack=$1 image=$2
shift 2

aws cloudformation deploy \
	--stack-name "$stack" \
	--template-file "$(dirname "$0")/template.yaml" \
	--capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND \
	--no-fail-on-empty-changeset \
	--tags service=order-processing-service \
	--parameter-overrides "ImageUri=$image" "$@"

aws cloudformation describe-stacks --stack-name "$stack" \
	--query 'Stacks[0].Outputs[].[OutputKey,OutputValue]' --output text
