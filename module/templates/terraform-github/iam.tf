data "aws_iam_policy_document" "backup" {
  statement {
    sid       = "Look"
    actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]
    resources = [aws_s3_bucket.github_backup.arn]
  }

  statement {
    sid       = "BackUp"
    actions   = ["s3:PutObject", "s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = ["${aws_s3_bucket.github_backup.arn}/*"]
  }

  statement {
    sid       = "ReadTheToken"
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [data.aws_secretsmanager_secret.github_backup.arn]
  }
}

resource "aws_iam_role_policy" "backup" {
  name   = "github_backup"
  role   = local.role_name
  policy = data.aws_iam_policy_document.backup.json
}

data "aws_iam_policy_document" "assume_by_lambda" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "github_backup_lambda_function_role" {
  count              = local.on_ssm ? 0 : 1
  name_prefix        = "github_backup_lambda_"
  assume_role_policy = data.aws_iam_policy_document.assume_by_lambda.json
}

data "aws_iam_policy_document" "assume_by_scheduler" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["scheduler.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "scheduler" {
  name_prefix        = "github_backup_scheduler_"
  assume_role_policy = data.aws_iam_policy_document.assume_by_scheduler.json
}

data "aws_iam_policy_document" "scheduler" {
  statement {
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.missed_starts.arn]
  }

  statement {
    actions = [local.on_ssm ? "ssm:SendCommand" : "lambda:InvokeFunction"]
    resources = local.on_ssm ? [
      "arn:${data.aws_partition.current.partition}:ec2:${local.here}:instance/${var.instance_id}",
      "arn:${data.aws_partition.current.partition}:ssm:${local.here}:managed-instance/${var.instance_id}",
      "arn:${data.aws_partition.current.partition}:ssm:${local.here}:document/AtlassianBackup-RunCmdlet",
    ] : [aws_lambda_function.github_backup[0].arn]
  }
}

resource "aws_iam_role_policy" "scheduler" {
  name   = "start_the_backup"
  role   = aws_iam_role.scheduler.id
  policy = data.aws_iam_policy_document.scheduler.json
}
